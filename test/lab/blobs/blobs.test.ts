import { afterEach, describe, expect, test } from "vitest";
import { encodeWant } from "../../../relay/blobs/messages.js";
import { sendBlob } from "../../../relay/blobs/stream.js";
import type { OfferSet } from "../../../relay/blobs/types.js";
import { createEndpoint } from "../../../transport/endpoint.js";
import type { Value } from "../../../transport/types.js";
import { nodeInfo } from "../../support/nodes.js";
import { hashOf, type TestNode, TestTree } from "./tree.js";

const CHUNK = 512 * 1024;
const FILE = 1024 * 1024;
const LEAVES = [2, 3, 4, 5, 6];

const trees: TestTree[] = [];
afterEach(async () => {
  for (const tree of trees.splice(0)) await tree.close();
});

/** The controller, a relay (1) and five leaves behind it, announced and not attached. */
async function fleet(capacity?: number) {
  const tree = new TestTree(capacity);
  trees.push(tree);
  tree.announce(1, tree.controller);
  const relay = await tree.join(1, tree.controller);
  for (const id of LEAVES) tree.announce(id, relay);
  return { tree, relay, spread: tree.controller.blobs.spread };
}

const join = (tree: TestTree, relay: TestNode) => Promise.all(LEAVES.map((id) => tree.join(id, relay)));
const getAll = async ({ blobs }: TestNode, set: OfferSet) =>
  Promise.all([...set.blobs.keys()].map((hash) => blobs.get(hash)));
const until = async (what: () => boolean) => {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe("a file of 1 MB for five leaves", () => {
  test("that is pulled crosses the first link once", async () => {
    const { tree, relay, spread } = await fleet();
    const leaves = await join(tree, relay);
    const set = tree.set(FILE, CHUNK);
    spread(set, LEAVES, false);
    await Promise.all(
      leaves.map(async (leaf) => {
        await tree.offered(leaf.endpoint.id);
        expect((await getAll(leaf, set)).map(hashOf)).toEqual([...set.blobs.keys()]);
      }),
    );
    expect(tree.sent(1)).toBeLessThan(1.1 * FILE);
    expect([...tree.reads.values()]).toEqual([1, 1]);
    for (const link of relay.endpoint.counters()) expect(link.sent).toBeLessThan(1.1 * FILE);
  });

  test("that is pushed before the leaves are attached waits, and crosses each link once", async () => {
    const { tree, relay, spread } = await fleet();
    const set = tree.set(FILE, CHUNK);
    spread(set, LEAVES, false);
    spread(set, LEAVES, true);
    await until(() => relay.blobs.stored === FILE);
    const leaves = await join(tree, relay);
    await Promise.all(leaves.map((leaf) => until(() => leaf.blobs.stored === FILE)));
    for (const leaf of leaves) expect((await getAll(leaf, set)).map(hashOf)).toEqual([...set.blobs.keys()]);
    expect(tree.sent(1)).toBeLessThan(1.1 * FILE);
    for (const link of relay.endpoint.counters()) expect(link.sent).toBeLessThan(1.1 * FILE);
  });

  test("that is pushed again costs next to nothing", async () => {
    const { tree, relay, spread } = await fleet();
    const [leaf] = await join(tree, relay);
    const set = tree.set(FILE, CHUNK);
    spread(set, [2], true);
    await until(() => leaf!.blobs.stored === FILE);
    const before = tree.sent(1);
    spread(set, LEAVES, true);
    await until(() => relay.endpoint.counters().every(({ sent }) => sent > FILE));
    expect(tree.sent(1) - before).toBeLessThan(1000);
  });

  test("that is larger than the relay's memory arrives all the same", async () => {
    const { tree, relay, spread } = await fleet(256 * 1024);
    const set = tree.set(FILE, 64 * 1024);
    spread(set, [2], true);
    // Sixteen blobs in a store for four; the leaf comes when most were thrown away.
    await until(() => tree.sent(1) > FILE);
    expect(relay.blobs.stored).toBeLessThanOrEqual(256 * 1024);
    const leaf = await tree.join(2, relay);
    await until(() => (relay.endpoint.counters().find(({ child }) => child === 2)?.sent ?? 0) > FILE);
    for (const hash of set.blobs.keys()) expect(hashOf(await leaf.blobs.get(hash))).toBe(hash);
    expect(relay.blobs.stored).toBeLessThanOrEqual(256 * 1024);
    expect(leaf.blobs.stored).toBeLessThanOrEqual(256 * 1024);
  });

  test("reaches the others when one leaf is killed midway", async () => {
    const { tree, relay, spread } = await fleet();
    const leaves = await join(tree, relay);
    const set = tree.set(8 * FILE, CHUNK);
    spread(set, LEAVES, true);
    await until(() => leaves[0]!.blobs.stored > 0);
    void leaves[0]!.endpoint.close();
    await Promise.all(leaves.slice(1).map((leaf) => until(() => leaf.blobs.stored === 8 * FILE)));
    expect(tree.sent(1)).toBeLessThan(8.2 * FILE);
  });
});

describe("a leaf", () => {
  test("can't ask for what another was offered", async () => {
    const { tree, relay, spread } = await fleet();
    const mine = tree.set(1000, 1000);
    const theirs = tree.set(1000, 1000);
    const lacks: Value[] = [];
    const spy = await tree.join(2, relay, (parent) => {
      const endpoint = createEndpoint({ parent, info: nodeInfo() });
      endpoint.onPost("lack", (_from, body) => lacks.push(body));
      endpoint.serve("blob", () => lacks.push("a blob came"));
      return { endpoint, blobs: tree.controller.blobs };
    });
    const other = await tree.join(3, relay);
    spread(mine, [2], false);
    spread(theirs, [3], true);
    await until(() => other.blobs.stored === 1000);
    spy.endpoint.post(1, "want", encodeWant({ received: 0, hashes: [...theirs.blobs.keys()] }));
    await until(() => lacks.length > 0);
    expect(lacks).toHaveLength(1);
    expect(lacks[0]).toMatchObject([32, expect.stringContaining("not offered"), expect.any(Uint8Array)]);
  });

  test("is refused by its own node for what it was not offered", async () => {
    const { tree, relay } = await fleet();
    const leaf = await tree.join(2, relay);
    await expect(leaf.blobs.get("00".repeat(32))).rejects.toMatchObject({ code: "BLOB_NOT_OFFERED" });
    await expect(leaf.blobs.prefetch(["00".repeat(32)])).resolves.toBeUndefined();
  });

  test("that sends a malformed WANT is cut, its siblings not", async () => {
    const { tree, relay, spread } = await fleet();
    const [bad, good] = await join(tree, relay);
    bad!.endpoint.post(1, "want", [0, new Uint8Array(31)]);
    expect(await bad!.endpoint.parentGone).toMatchObject({ code: "PROTOCOL" });
    const set = tree.set(1000, 1000);
    spread(set, [3], true);
    await until(() => good!.blobs.stored === 1000);
  });
});

describe("content that is not what its hash names", () => {
  test("never leaves the controller, and hurts no other blob", async () => {
    const { tree, relay, spread } = await fleet();
    const leaf = await tree.join(2, relay);
    const set = tree.set(3000, 1000);
    const [first, changed, last] = [...set.blobs.keys()] as [string, string, string];
    tree.content.set(changed, new Uint8Array(1000));
    spread(set, [2], true);
    await until(() => leaf.blobs.stored === 2000);
    await expect(leaf.blobs.get(changed)).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
    expect(hashOf(await leaf.blobs.get(first))).toBe(first);
    expect(hashOf(await leaf.blobs.get(last))).toBe(last);
    expect(relay.blobs.stored).toBe(2000);
  });

  test("is neither stored nor passed on by a relay, and hurts no other blob", async () => {
    const { tree, relay } = await fleet();
    const leaf = await tree.join(2, relay);
    const set = tree.set(3000, 1000);
    const [wrong, long, right] = [...set.blobs.keys()] as [string, string, string];
    // A parent that lies, in place of the controller's own blobs
    const { endpoint } = tree.controller;
    const bytes = Buffer.concat(
      [...set.blobs].map(([hash, size]) => {
        const entry = Buffer.alloc(36);
        entry.write(hash, "hex");
        entry.writeUInt32BE(size, 32);
        return entry;
      }),
    );
    endpoint.post(1, "offer", [9, true, [2], bytes]);
    await tree.offered(2);
    const refused = expect(leaf.blobs.get(wrong)).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
    const channel = endpoint.open(1, "blob", null);
    await sendBlob(channel, wrong, new Uint8Array(1000));
    await sendBlob(channel, long, Buffer.concat([tree.content.get(long)!, Buffer.alloc(70_000)]));
    await sendBlob(channel, right, tree.content.get(right)!);
    await refused;
    expect(hashOf(await leaf.blobs.get(right))).toBe(right);
    // The longer one: its first 1000 bytes are right, what follows belongs to nothing.
    expect(hashOf(await leaf.blobs.get(long))).toBe(long);
    expect(relay.blobs.stored).toBe(2000);
  });

  test("that was never offered breaks the channel, and what waits for blobs learns of it", async () => {
    const { tree, relay } = await fleet();
    const leaf = await tree.join(2, relay);
    const { endpoint } = tree.controller;
    const hash = "ab".repeat(32);
    endpoint.post(1, "offer", [9, true, [2], Buffer.from(`${hash}00000010`, "hex")]);
    await tree.offered(2);
    const waiting = expect(leaf.blobs.get(hash)).rejects.toMatchObject({ code: "BLOB_NOT_OFFERED" });
    const channel = endpoint.open(1, "blob", null);
    await sendBlob(channel, "cd".repeat(32), new Uint8Array(10));
    expect(await channel.closed).toMatchObject({ code: "BLOB_NOT_OFFERED" });
    await waiting;
  });
});

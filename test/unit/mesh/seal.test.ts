import { generateKeyPairSync } from "node:crypto";
import nacl from "tweetnacl";
import { describe, expect, test } from "vitest";
import { EventSender, ItemKind } from "../../../relay/event-stream.js";
import { Place } from "../../../relay/mesh/place.js";
import { createSealing } from "../../../relay/mesh/seal.js";
import type { Hop } from "../../../relay/mesh/types.js";
import { runWing } from "../../../relay/mesh/wing.js";
import { CONTROLLER, converse, NODE } from "../../../relay/seal/conversation.js";
import { openSealed } from "../../../relay/seal/part.js";
import { MopError } from "../../../transport/errors.js";
import type { Endpoint } from "../../../transport/types.js";
import { encodeProblem } from "../../../transport/wire/problem.js";
import { nodeInfo } from "../../support/nodes.js";

/** A node's key pair, as a node makes it (relay/node/seal.ts). */
function nodeKeys() {
  const { publicKey, privateKey } = generateKeyPairSync("x25519");
  return { key: publicKey.export({ type: "spki", format: "der" }).subarray(-32), privateKey };
}

/** Both ends of one conversation. */
function pair() {
  const [here, there] = [nacl.box.keyPair(), nacl.box.keyPair()];
  return {
    controller: converse(there.publicKey, here.secretKey, CONTROLLER),
    node: converse(here.publicKey, there.secretKey, NODE),
  };
}

/** Runs a sealed order on a node behind a relay, which answers with these items. */
function answered(items: readonly { readonly kind: number; readonly body: Uint8Array }[]) {
  const hop = { kind: "relay", node: "", target: { name: "l1" } } as Hop;
  const place = new Place("l1", hop, undefined, 2, "relay");
  place.linkTo = 1;
  place.dispatched.resolve();
  const sender = new EventSender();
  for (const item of items) sender.push(item);
  const channel = {
    async *receive() {
      for (let body = sender.take(); body; body = sender.take()) yield { type: "data", body };
    },
    write: async () => {},
    control: async () => {},
    reset: () => {},
    end: () => {},
  };
  const endpoint = { open: () => channel } as unknown as Endpoint;
  const { controller, node } = pair();
  return {
    node,
    async run() {
      const events: string[] = [];
      const options = { entry: "", order: Buffer.from("order"), secret: true };
      const onEvent = (event: Uint8Array) => void events.push(text(event));
      const sealFor = async () => ({ bytes: Buffer.alloc(99), open: controller.open });
      const runners = { push: () => {}, bring: () => "" };
      const result = await runWing(endpoint, place, { ...options, onEvent }, { sealFor, runners }).then(
        text,
        String,
      );
      return { events, result };
    },
    send: (...more: typeof items) => more.forEach((item) => void sender.push(item)),
  };
}
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe("a sealed conversation", () => {
  test("opens on each side what the other one sealed, in order, and nothing of it shows between", () => {
    const { controller, node } = pair();
    for (const word of ["first", "", "a third that is longer"]) {
      const box = controller.seal(Buffer.from(word));
      if (word !== "") expect(Buffer.from(box).includes(word)).toBe(false);
      expect(text(node.open(box))).toBe(word);
      expect(text(controller.open(node.seal(Buffer.from(word))))).toBe(word);
    }
  });

  test("opens nothing that was changed, comes early, twice or back, or is meant for another; the right one still opens", () => {
    const { controller, node } = pair();
    const [first, second] = [controller.seal(Buffer.from("first")), controller.seal(Buffer.from("second"))];
    const changed = Uint8Array.from(first, (byte, at) => (at === 20 ? byte ^ 1 : byte));
    const others = [changed, second, first.subarray(1), new Uint8Array(0), pair().controller.seal(first)];
    for (const other of others)
      expect(() => node.open(other)).toThrow(/changed on the way, or sealed to another key/);
    // Its own words, sent back
    expect(() => controller.open(first)).toThrow(/can't be opened/);
    expect(text(node.open(first))).toBe("first");
    expect(() => node.open(first)).toThrow(/can't be opened/);
    expect(text(node.open(second))).toBe("second");
  });

  test("is nacl.box with the nonces that docs/protocol.md tells, and a node's key is Node's own", () => {
    const { key, privateKey } = nodeKeys();
    const ours = nacl.box.keyPair();
    const nonce = (of: number, number: number) => Uint8Array.from([of, ...new Array(22).fill(0), number]);
    const box = nacl.box(Buffer.from("an order"), nonce(0, 0), key, ours.secretKey);
    const { plain, seal } = openSealed(Buffer.concat([Buffer.alloc(32), ours.publicKey, box]), privateKey);
    expect(text(plain)).toBe("an order");
    for (const number of [0, 1]) {
      const answer = nacl.box.open(seal(Buffer.from("an answer")), nonce(1, number), key, ours.secretKey);
      expect(text(answer!)).toBe("an answer");
    }
    expect(() =>
      openSealed(Buffer.concat([Buffer.alloc(32), ours.publicKey, box]), nodeKeys().privateKey),
    ).toThrow(/can't be opened/);
    expect(() => openSealed(Buffer.alloc(40), privateKey)).toThrow();
  });
});

test("a node without a key is not sent a secret, and told how it could be", async () => {
  const blobs = { offer: () => {}, push: () => {} };
  const text = Buffer.from("the part");
  const place = new Place("l1", { target: { name: "l1" } } as Hop, undefined, 2, "relay");
  place.up.resolve({ ...nodeInfo(), key: new Uint8Array() });
  await expect(
    createSealing(blobs, () => ({ hash: "", size: text.length, read: async () => text }))(
      place,
      Buffer.from("secret"),
    ),
  ).rejects.toThrow(/^l1: its Node makes no X25519 keys .*mop_hop = "sealed"/);
});

describe("what a node answers to a sealed order", () => {
  const { EVENT, RESULT, FAILURE } = ItemKind;

  test("is taken sealed, in order", async () => {
    const { node, run, send } = answered([]);
    const item = (kind: number, word: string) => ({ kind, body: node.seal(Buffer.from(word)) });
    send(item(EVENT, "one"), item(EVENT, "two"), item(RESULT, "the end"));
    expect(await run()).toEqual({ events: ["one", "two"], result: "the end" });
  });

  test.each([
    ["an event", EVENT],
    ["a result", RESULT],
  ])("and %s in clear, as a relay could make it up, ends the run with PROTOCOL", async (_what, kind) => {
    const { run } = answered([{ kind, body: Buffer.from("made up by the relay") }]);
    expect(await run()).toEqual({
      events: [],
      result: expect.stringMatching(/^MopError: l1: what was sealed can't be opened/),
    });
  });

  test("but for a failure from before it could be opened", async () => {
    const problem = encodeProblem(new MopError("BLOB_UNAVAILABLE", "the part is not to be had"));
    const { run } = answered([{ kind: FAILURE, body: problem }]);
    expect(await run()).toEqual({ events: [], result: "MopError: the part is not to be had" });
  });
});

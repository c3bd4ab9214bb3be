import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withoutSsh } from "../../../engine/controller/route/command-hop.js";
import type { Hop, NodeHandle } from "../../../relay/mesh/types.js";
import { until } from "../../support/alive.js";
import { buildCore } from "../../support/core-bundle.js";
import { built, ROOT } from "../../support/mop.js";
import { type LocalMesh, openMesh } from "../wing/mesh.js";

/** Tells what it was ordered, in an event and as its result. */
const WING = Buffer.from(
  "exports.start = async (host) => { await host.emit(host.order); host.done(host.order); };",
);
const SECRET = "word-3f81d0-in-an-order";

/** A relay whose bytes, in and out, are kept in files, and a node that it starts. */
describe.skipIf(!built)("an order that is secret", () => {
  let folder: string;
  let mesh: LocalMesh;
  let outer: NodeHandle;
  let inner: NodeHandle;
  const tap = (name: string) => readFileSync(path.join(folder, name), "latin1");

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), "mop-sealed-"));
    const program = path.join(folder, "enter");
    writeFileSync(program, `#!/bin/sh\ncd ${folder}\ntee -a in | "$@" | tee -a out\n`);
    chmodSync(program, 0o755);
    mesh = openMesh(await buildCore());
    const hop = (name: string, enter: string[]): Hop => ({
      kind: "command",
      node: process.execPath,
      enter,
      target: withoutSsh(name, name, ""),
    });
    outer = mesh.reach([hop("outer", [program])]);
    inner = mesh.reach([hop("outer", [program]), hop("inner", ["env"])]);
  });
  afterAll(async () => {
    await mesh.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const entry = createHash("sha256").update(WING).digest("hex");
  const run = async (node: NodeHandle, word: string, secret: boolean) => {
    mesh.offer([{ hash: entry, size: WING.length, read: async () => WING }], [node]);
    const told: string[] = [];
    const order = Buffer.from(word);
    const onEvent = (event: Uint8Array) => void told.push(Buffer.from(event).toString());
    const result = await node.wing({ entry, order, secret, onEvent });
    return [...told, Buffer.from(result).toString()];
  };
  const seen = (word: string) => ["in", "out"].map((name) => tap(name).includes(word));
  /** What taps have seen is in their files a moment later: once this is there, all that was before it is. */
  const passed = async (mark: string) => {
    expect(await run(inner, mark, false)).toEqual([mark, mark]);
    await until("the mark in both taps", () => seen(mark).every(Boolean));
  };

  test("arrives, and is answered, without a byte of it in what the relay before the node reads and writes", async () => {
    expect(await run(inner, SECRET, true)).toEqual([SECRET, SECRET]);
    await passed("open-word-in-an-order");
    expect(seen(SECRET)).toEqual([false, false]);
  });

  test("may be larger than a frame, both ways", async () => {
    const long = `${SECRET} `.repeat(20_000);
    expect(await run(inner, long, true)).toEqual([long, long]);
    await passed("open-word-behind-a-long-one");
    expect(seen(SECRET)).toEqual([false, false]);
  });

  test("that was changed on the way, or sealed to another node, fails with one sentence", async () => {
    const part = createHash("sha256")
      .update(readFileSync(path.join(ROOT, "dist/bundles/seal.js")))
      .digest();
    const order = Buffer.concat([part, Buffer.alloc(200, 7)]);
    const channel = mesh.endpoint.open(inner.id, "wing", {
      entry,
      runner: createHash("sha256")
        .update(readFileSync(path.join(ROOT, "dist/bundles/runner.js")))
        .digest("hex"),
      order,
      rest: 0,
      memoryMb: 64,
      sealed: true,
    });
    const said: string[] = [];
    for await (const { body } of channel.receive()) {
      said.push(Buffer.from(body).toString("latin1"));
      channel.end();
    }
    expect(said.join()).toContain("what was sealed can't be opened: it was changed on the way");
  });

  test("is not sealed for a node that nobody is before: its bytes are the session's", async () => {
    const word = "word-to-the-first-node";
    expect(await run(outer, word, true)).toEqual([word, word]);
    await until("the word in both taps", () => seen(word).every(Boolean));
  });
});

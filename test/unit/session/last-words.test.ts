import { expect, test } from "vitest";
import { joinStdio } from "../../../relay/boot/stdio.js";
import { type JoinPort, joinChild } from "../../../relay/node/join.js";
import { createEndpoint } from "../../../transport/endpoint.js";
import { MopError } from "../../../transport/errors.js";
import type { Channel } from "../../../transport/types.js";
import { encodeProblem } from "../../../transport/wire/problem.js";
import { decodeValue } from "../../../transport/wire/value.js";
import { GOOD_BODIES } from "../../support/frames.js";
import { connection } from "../../support/held-up.js";
import { frameOf, RawPeer } from "../../support/raw-peer.js";

test("what a node said last is read, though the end of its process was known before", async () => {
  const [here, there] = await connection();
  const stdio = joinStdio(here, here);
  const endpoint = createEndpoint({ root: true });
  const gone = new Promise((resolve) => endpoint.onGone((_id, error) => resolve(error)));
  const reports: unknown[] = [];
  const channel = {
    closed: new Promise(() => {}),
    control: async (body: Uint8Array) => void reports.push((decodeValue(body) as { type: string }).type),
    reset() {},
  } as unknown as Channel;
  let ended = () => {};
  const exit = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const port = { endpoint, core: Buffer.alloc(0), onLine() {} } as unknown as JoinPort;
  const times = { heartbeatMs: 60_000, deadAfterMs: 240_000, bootTimeoutMs: 60_000 };
  const child = { id: 1, name: "web", nonce: "5eed", title: "mop", run: "3f2a", ...times };
  const joined = joinChild(
    port,
    channel,
    { child, elevation: null },
    { run: () => ({ pipe: stdio, exit, onStderr() {} }), close: () => void stdio.destroy() },
  );
  const node = new RawPeer(there);
  node.bytes(Buffer.from("mop-boot:5eed;"));
  node.send(frameOf("HELLO", { body: GOOD_BODIES.HELLO! }));
  await expect.poll(() => reports).toEqual(["authenticated", "up"]);
  node.send(frameOf("BYE", { body: encodeProblem(new MopError("INTERNAL", "it broke")) }));
  node.end();
  ended();
  await joined;
  expect(await gone).toMatchObject({ code: "INTERNAL", message: "it broke" });
  await expect.poll(() => stdio.destroyed).toBe(true);
  await endpoint.close();
});

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { serveSpawns } from "../../../relay/node/spawn.js";
import { createEndpoint } from "../../../transport/endpoint.js";
import { encodeValue } from "../../../transport/wire/value.js";
import { until } from "../../support/alive.js";
import { memoryPipe } from "../../support/memory-pipe.js";
import { nodeInfo, parentHello } from "../../support/nodes.js";
import { settle } from "../../support/session-peer.js";

const folder = mkdtempSync(path.join(os.tmpdir(), "mop-spawns-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CHILD = {
  id: 2,
  name: "box",
  nonce: "5eed",
  title: "mop relay",
  run: "3f2a",
  heartbeatMs: 2000,
  deadAfterMs: 8000,
  bootTimeoutMs: 20_000,
  bringer: "ab".repeat(32),
};

it("a command is not run any more where it was given up while what it needs was on its way", async () => {
  const controller = createEndpoint({ root: true });
  const [upper, lower] = memoryPipe();
  const node = createEndpoint({ parent: lower, info: nodeInfo() });
  let loaded: ((part: object) => void) | undefined;
  serveSpawns(
    {
      endpoint: node,
      blobs: { get: () => Promise.reject(new Error("no blobs")) },
      load: <T>() =>
        new Promise<T>((resolve) => {
          loaded = resolve as (part: object) => void;
        }),
      core: Buffer.from("core"),
      links: new Map(),
      sessions: new Map(),
      onLine: () => {},
    },
    () => Promise.reject(new Error("nothing is sealed")),
  );
  await controller.attachChild(1, upper, parentHello(1));
  const run = async (name: string, givenUp: boolean) => {
    loaded = undefined;
    const channel = controller.open(1, "spawn", null);
    const file = path.join(folder, name);
    const argv = ["/bin/sh", "-c", `echo >${file}; exec cat`];
    await channel.control(encodeValue({ type: "spawn", argv, child: CHILD, elevation: null }));
    await until("the order", () => loaded !== undefined);
    if (givenUp) channel.reset("CANCELLED");
    // Whatever is on its way is there by then
    await controller.ping(1);
    await settle();
    loaded!({});
    return { file, channel };
  };
  const { file: never } = await run("never", true);
  const { file, channel } = await run("run", false);
  await until("the command", () => existsSync(file));
  expect(existsSync(never)).toBe(false);
  channel.reset("CANCELLED");
  await controller.close();
});

/** Limits that run out while this process stands still: what came in meanwhile is believed, not they. */
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import net from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { bootOverPipe } from "../../../relay/boot/boot.js";
import { joinStdio } from "../../../relay/boot/stdio.js";
import { EventSender, ItemKind } from "../../../relay/event-stream.js";
import { Place } from "../../../relay/mesh/place.js";
import { openProxy } from "../../../relay/mesh/proxy-command.js";
import type { Hop } from "../../../relay/mesh/types.js";
import { runWing } from "../../../relay/mesh/wing.js";
import { connectTo } from "../../../relay/node/connect.js";
import { createEndpoint } from "../../../transport/endpoint.js";
import { Deadline } from "../../../transport/ssh/deadline.js";
import { dialSocket } from "../../../transport/ssh/tcp.js";
import type { Target } from "../../../transport/ssh/types.js";
import { encodeValue } from "../../../transport/wire/value.js";
import { GOOD_BODIES } from "../../support/frames.js";
import { beforeTimers, connection, heldUp, standStill } from "../../support/held-up.js";
import { parentHello } from "../../support/nodes.js";
import { frameOf, RawPeer } from "../../support/raw-peer.js";

const LIMIT = 50;
const HELD = 150;

async function listening() {
  const server = net.createServer((socket) => socket.resume()).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as net.AddressInfo).port };
}

/** A node whose frames a test writes, over a connection. */
async function child(timing: { heartbeatMs: number; deadAfterMs: number }) {
  const [upper, lower] = await connection();
  const peer = new RawPeer(lower);
  const controller = createEndpoint({ root: true });
  const gone: string[] = [];
  controller.onGone((_id, { code }) => gone.push(code));
  peer.send(frameOf("HELLO", { body: GOOD_BODIES.HELLO! }));
  await controller.attachChild(1, upper, parentHello(1, timing));
  return { controller, peer, gone };
}

test("a connection that stood in time is taken: the controller's", async () => {
  const { server, port } = await listening();
  await beforeTimers();
  const dialled = dialSocket("127.0.0.1", port, LIMIT);
  await new Promise<void>((resolve) => process.nextTick(resolve));
  standStill(HELD);
  (await dialled).destroy();
  server.close();
});

test("a connection that stood in time is taken: a node's", async () => {
  const { server, port } = await listening();
  await beforeTimers();
  const socket = connectTo({ host: "127.0.0.1", port, connectTimeoutMs: LIMIT, keep: false });
  await new Promise<void>((resolve) => process.nextTick(resolve));
  standStill(HELD);
  await once(socket, "connect");
  await new Promise((resolve) => setTimeout(resolve, LIMIT));
  expect(socket.destroyed).toBe(false);
  socket.destroy();
  server.close();
});

test("a step of a login that ended in time was in time", async () => {
  let late = false;
  const deadline = new Deadline("l1", LIMIT, () => {
    late = true;
  });
  await heldUp(
    HELD,
    () => deadline.step("the login"),
    "welcome",
    () => deadline.end(),
  );
  expect(late).toBe(false);
});

test("a node that started in time is one", async () => {
  const [socket, host] = await connection();
  const core = Buffer.from("core");
  await beforeTimers();
  const boot = bootOverPipe(joinStdio(socket, socket), { name: "l1", nonce: "5eed", core, timeoutMs: LIMIT });
  boot.pipe.on("error", () => {});
  await new Promise<void>((resolve) => process.nextTick(resolve));
  host.write("mop-boot:5eed;first frame");
  standStill(HELD);
  await boot.booted;
  await new Promise((resolve) => setTimeout(resolve, LIMIT));
  expect(boot.pipe.destroyed).toBe(false);
  boot.pipe.destroy();
  host.destroy();
});

test("a call that was answered in time has its answer", async () => {
  const { controller, peer } = await child({ heartbeatMs: 60_000, deadAfterMs: 240_000 });
  await beforeTimers();
  const answer = controller.call(1, "echo", "x", { timeoutMs: LIMIT });
  peer.send(frameOf("RESULT", { source: 1, channel: 1, body: encodeValue("x") }));
  standStill(HELD);
  expect(await answer).toBe("x");
  peer.destroy();
  await controller.close();
});

describe("by the clock", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => void vi.useRealTimers());

  test("a peer whose sign of life came in time is alive", async () => {
    const { controller, peer, gone } = await child({ heartbeatMs: 100, deadAfterMs: 400 });
    await vi.advanceTimersByTimeAsync(390);
    await beforeTimers();
    peer.send(frameOf("PONG", { body: Buffer.alloc(4) }));
    vi.advanceTimersByTime(20);
    await beforeTimers();
    await beforeTimers();
    expect(gone).toEqual([]);
    vi.useRealTimers();
    peer.destroy();
    await controller.close();
  });

  test("what a cancelled wing did last is heard of, where it said it in time", async () => {
    const { controller, peer } = await child({ heartbeatMs: 60_000, deadAfterMs: 240_000 });
    const hop = { kind: "relay", node: "", target: { name: "l1" } } as Hop;
    const place = new Place("l1", hop, undefined, 1, "relay");
    place.dispatched.resolve();
    const stop = new AbortController();
    const events: string[] = [];
    const onEvent = (event: Uint8Array) => void events.push(String(Buffer.from(event)));
    const order = { entry: "", order: Buffer.of(1), onEvent, signal: stop.signal };
    const tools = { sealFor: () => Promise.reject(new Error()), runners: { push() {}, bring: () => "" } };
    const outcome = runWing(controller, place, order, tools).catch(({ code }) => code);
    while (peer.of("OPEN").length === 0) await beforeTimers();
    stop.abort();
    await beforeTimers();
    const items = new EventSender();
    items.push({ kind: ItemKind.EVENT, body: Buffer.from("changed") });
    peer.send(frameOf("DATA", { source: 1, channel: peer.of("OPEN")[0]!.channel, body: items.take()! }));
    vi.advanceTimersByTime(3500);
    expect(await outcome).toBe("CANCELLED");
    expect(events).toEqual(["changed"]);
    vi.useRealTimers();
    peer.destroy();
    await controller.close();
  });
});

/** Whether a process has ended and nobody buried it yet. */
const hasEnded = (pid: number) => / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));

test.skipIf(!existsSync("/proc/self/stat"))(
  "what a ProxyCommand said as it ended is why the way ended",
  async () => {
    const proxyCommand = "sh -c 'echo $$; exec >&-; sleep 0.1; echo no such bastion >&2; exit 3'";
    const way = openProxy({ name: "b1", proxyCommand } as Target & { proxyCommand: string });
    let said = "";
    way.pipe.on("data", (bytes) => {
      said += bytes;
    });
    await once(way.pipe, "end");
    const failure = way.failure();
    const pid = Number(said);
    standStill(550);
    while (existsSync(`/proc/${pid}`) && !hasEnded(pid)) standStill(10);
    expect(await failure).toMatchObject({
      message: expect.stringContaining("ended with status 3: no such bastion"),
    });
    way.pipe.destroy();
    await way.gone;
  },
);

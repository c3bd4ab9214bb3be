import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createEndpoint } from "../../../transport/endpoint.js";
import { MopError } from "../../../transport/errors.js";
import type { Endpoint } from "../../../transport/types.js";
import { GOOD_BODIES, parentHelloBody } from "../../support/frames.js";
import { memoryPipe } from "../../support/memory-pipe.js";
import { parentHello, servingNode } from "../../support/nodes.js";
import { frameOf, RawPeer } from "../../support/raw-peer.js";

/** parentHello's: a beat every 2 s, dead after 8 s. */
const BEAT = 2000;
const DEAD = 8000;

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "setImmediate", "performance"],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Silent {
  readonly peer: RawPeer;
  readonly error: () => unknown;
}

async function controllerWithChild(): Promise<Silent & { controller: Endpoint }> {
  const controller = createEndpoint({ root: true });
  const [upper, lower] = memoryPipe();
  const peer = new RawPeer(lower);
  let error: unknown;
  controller.onGone((_id, why) => {
    error = why;
  });
  const attached = controller.attachChild(1, upper, parentHello(1));
  peer.send(frameOf("HELLO", { body: GOOD_BODIES.HELLO! }));
  await vi.advanceTimersByTimeAsync(5);
  await attached;
  return { peer, controller, error: () => error };
}

async function nodeWithParent(): Promise<Silent> {
  const [upper, lower] = memoryPipe();
  const peer = new RawPeer(upper);
  const node = servingNode(lower);
  let error: unknown;
  void node.parentGone.then((why) => {
    error = why;
  });
  peer.send(frameOf("HELLO", { body: parentHelloBody(1) }));
  await vi.advanceTimersByTimeAsync(5);
  await node.hello;
  return { peer, error: () => error };
}

describe.each([
  ["a parent", controllerWithChild],
  ["a child", nodeWithParent],
])("%s", (_who, start) => {
  it("asks a silent peer at every beat, and closes the link after 8 s of silence", async () => {
    const { peer, error } = await start();
    await vi.advanceTimersByTimeAsync(DEAD - BEAT);
    expect(peer.of("PING").length).toBeGreaterThanOrEqual(2);
    expect(error()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(BEAT + 100);
    expect(error()).toMatchObject({
      code: "LINK_LOST",
      message: expect.stringContaining("Nothing was heard"),
    });
    expect(await peer.goodbye()).toBe("LINK_LOST");
  });

  it("takes any frame as a sign of life, and sends no PING to who speaks by itself", async () => {
    const { peer, error } = await start();
    for (let i = 0; i < 30; i++) {
      peer.send(frameOf("PONG", { body: Buffer.alloc(4) }));
      await vi.advanceTimersByTimeAsync(BEAT / 2);
    }
    expect(error()).toBeUndefined();
    expect(peer.of("PING")).toEqual([]);
  });

  it("stays linked for as long as its PINGs are answered", async () => {
    const { peer, error } = await start();
    let answered = 0;
    for (let i = 0; i < 60; i++) {
      await vi.advanceTimersByTimeAsync(BEAT / 2);
      for (const ping of peer.of("PING").slice(answered++, answered))
        peer.send(frameOf("PONG", { body: ping.body }));
      answered = peer.of("PING").length;
    }
    expect(error()).toBeUndefined();
    expect(answered).toBeGreaterThan(10);
  });

  it("that stood still itself asks once more before it gives its peer up", async () => {
    const { peer, error } = await start();
    // The process was suspended for a minute: the clock went on, no timer ran.
    const now = performance.now();
    const clock = vi.spyOn(performance, "now").mockImplementation(() => now + 60_000);
    await vi.advanceTimersByTimeAsync(BEAT);
    expect(error()).toBeUndefined();
    expect(peer.of("PING").length).toBeGreaterThan(0);
    peer.send(frameOf("PONG", { body: peer.of("PING")[0]!.body }));
    await vi.advanceTimersByTimeAsync(BEAT);
    expect(error()).toBeUndefined();
    clock.mockRestore();
  });

  it.each([1000, 3000, 5000, 7000])(
    "that stood still for %d ms, as its peer may have, counts none of it as silence",
    async (heldUpMs) => {
      const { peer, error } = await start();
      await vi.advanceTimersByTimeAsync(BEAT - 100);
      const { now } = performance;
      const clock = vi.spyOn(performance, "now").mockImplementation(() => now.call(performance) + heldUpMs);
      await vi.advanceTimersByTimeAsync(DEAD - BEAT);
      expect(error()).toBeUndefined();
      peer.send(frameOf("PONG", { body: Buffer.alloc(4) }));
      await vi.advanceTimersByTimeAsync(DEAD - 100);
      expect(error()).toBeUndefined();
      await vi.advanceTimersByTimeAsync(BEAT);
      expect(error()).toMatchObject({ code: "LINK_LOST" });
      clock.mockRestore();
    },
  );
});

describe("a round trip", () => {
  it("is measured in milliseconds, and fails with the link", async () => {
    const { peer, controller } = await controllerWithChild();
    const first = controller.ping(1);
    await vi.advanceTimersByTimeAsync(180);
    peer.send(frameOf("PONG", { body: peer.of("PING")[0]!.body }));
    await vi.advanceTimersByTimeAsync(5);
    expect(await first).toBeGreaterThanOrEqual(180);
    expect(await first).toBeLessThan(200);
    const second = controller.ping(1).catch((error: MopError) => error.code);
    controller.dropChild(1, new MopError("CANCELLED", "enough"));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await second).not.toBeTypeOf("number");
  });

  it("is answered 16 times at most for a peer that asks without reading", async () => {
    const [upper, lower] = memoryPipe();
    servingNode(lower);
    const asked = 1000;
    const frames = Array.from({ length: asked }, () => frameOf("PING", { body: Buffer.alloc(4) }));
    const peer = new RawPeer(upper);
    peer.send(frameOf("HELLO", { body: parentHelloBody(1) }), ...frames);
    await vi.advanceTimersByTimeAsync(50);
    expect(peer.of("PONG").length).toBeGreaterThan(0);
    expect(peer.of("PONG").length).toBeLessThanOrEqual(16);
  });
});

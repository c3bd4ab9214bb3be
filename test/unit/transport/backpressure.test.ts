import { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { createEndpoint } from "../../../transport/endpoint.js";
import type { MopError } from "../../../transport/errors.js";
import { FRAME_COST, MAX_FORWARDING, MAX_WAITING, WindowFlag } from "../../../transport/wire/constants.js";
import { encodeFrame } from "../../../transport/wire/frame.js";
import { encodeParentHello } from "../../../transport/wire/hello.js";
import { encodeValue } from "../../../transport/wire/value.js";
import { until } from "../../support/alive.js";
import { GOOD_BODIES } from "../../support/frames.js";
import { bytesInUse } from "../../support/memory.js";
import { memoryPipe } from "../../support/memory-pipe.js";
import { nodeInfo, parentHello, servingNode } from "../../support/nodes.js";
import { frameOf, RawPeer } from "../../support/raw-peer.js";

/** A pipe that takes nothing more from some point on: `write` answers false, and no drain comes until `release`. */
class BlockedPipe extends Duplex {
  writes = 0;
  bytes = 0;
  blocked = false;
  #held: (() => void)[] = [];

  constructor() {
    super({ writableHighWaterMark: 1024 });
  }

  release(): void {
    this.blocked = false;
    for (const done of this.#held.splice(0)) done();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes++;
    this.bytes += chunk.length;
    if (this.blocked) this.#held.push(done);
    else done();
  }
}

async function blockedLink() {
  const controller = createEndpoint({ root: true });
  const pipe = new BlockedPipe();
  const attached = controller.attachChild(
    1,
    pipe,
    parentHello(1, { heartbeatMs: 100_000, deadAfterMs: 400_000 }),
  );
  pipe.push(encodeFrame(frameOf("HELLO", { body: GOOD_BODIES.HELLO! })));
  await attached;
  await until("our hello", () => pipe.writes > 0);
  pipe.blocked = true;
  return { controller, pipe };
}

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe("a link whose pipe takes nothing", () => {
  it("writes once, and no more until the pipe drains; writers wait", async () => {
    const { controller, pipe } = await blockedLink();
    const channel = controller.open(1, "sink", null);
    let done = 0;
    const sizes = [60_000, 60_000, 60_000, 60_000, 60_000, 60_000];
    const writing = Promise.all(sizes.map((size) => channel.write(Buffer.alloc(size)).then(() => done++)));
    writing.catch(() => {});
    await turns(20);
    const { writes, bytes } = pipe;
    // What the pipe got before it answered false: one batch, not the whole queue.
    expect(bytes).toBeLessThan(200_000);
    expect(done).toBeLessThan(4);
    await turns(20);
    expect(pipe.writes).toBe(writes);
    expect(pipe.writableLength).toBeLessThan(200_000);
    pipe.release();
    await until("what there is credit for", () => done === 4);
    // The fifth waits for credit, not for the pipe.
    await turns(20);
    expect(done).toBe(4);
    pipe.destroy();
    await expect(writing).rejects.toMatchObject({ code: "LINK_LOST" });
    await controller.close();
  });

  it("lets what is small and urgent overtake what waits", async () => {
    const { controller, pipe } = await blockedLink();
    const channel = controller.open(1, "sink", null);
    for (let i = 0; i < 8; i++) channel.write(Buffer.alloc(30_000)).catch(() => {});
    await turns(5);
    const call = controller.call(1, "echo", "urgent");
    call.catch(() => {});
    const order: string[] = [];
    const write = pipe._write.bind(pipe);
    pipe._write = (chunk, encoding, done) => {
      if (chunk.includes("urgent")) order.push("call");
      if (chunk.includes(Buffer.alloc(20_000))) order.push("bulk");
      write(chunk, encoding, done);
    };
    pipe.release();
    await until("both", () => order.includes("call") && order.includes("bulk"));
    expect(order[0]).toBe("call");
    pipe.destroy();
    await controller.close();
  });
});

describe("a child that isn't up yet", () => {
  it("has a bounded queue: past it its channels and calls are refused, and it gets no half channels", async () => {
    const controller = createEndpoint({ root: true });
    controller.expectChild(1);
    const channels = Array.from({ length: 40 }, () => controller.open(1, "sink", null));
    const codes: string[] = [];
    for (const channel of channels) {
      for (let i = 0; i < 5; i++) channel.write(Buffer.alloc(50_000)).catch(() => {});
      void channel.closed.then((error) => error && codes.push(error.code));
    }
    const call = await controller
      .call(1, "echo", Buffer.alloc(200_000))
      .catch((error: { code: string }) => error.code);
    expect(call).toBe("NODE_GONE");
    await until("the refusals", () => codes.length > 0);
    expect(new Set(codes)).toEqual(new Set(["NODE_GONE"]));
    // 16 channels of 250 kB fit 4 MB.
    expect(codes.length).toBeGreaterThanOrEqual(40 - Math.ceil(MAX_WAITING / 250_000) - 1);
    await controller.close();
  });
});

describe("a child that doesn't read", () => {
  it("is answered once for a channel, however often it asks for an echo", async () => {
    const { controller, pipe } = await blockedLink();
    controller.open(1, "echo", null);
    const probe = encodeFrame(
      frameOf("WINDOW", { source: 1, channel: 1, flags: WindowFlag.PROBE, body: Buffer.alloc(4) }),
    );
    pipe.push(Buffer.concat(Array.from({ length: 50_000 }, () => probe)));
    await turns(50);
    const { bytes } = pipe;
    pipe.release();
    await turns(50);
    // Its OPEN and some echoes
    expect(pipe.bytes - bytes).toBeLessThan(20 * probe.length);
    pipe.push(probe);
    const before = pipe.bytes;
    await until("the next echo", () => pipe.bytes > before);
    pipe.destroy();
    await controller.close();
  });

  it("loses its link when what it asks for piles up, and its siblings go on", async () => {
    const { controller, pipe } = await blockedLink();
    const lost: [number, MopError][] = [];
    controller.onGone((id, error) => lost.push([id, error]));
    const [upper, lower] = memoryPipe();
    servingNode(lower);
    await controller.attachChild(2, upper, parentHello(2));
    controller.onPost("want", (child) => controller.post(child, "lack", "never"));
    const want = encodeFrame(frameOf("WANT", { body: encodeValue(null) }));
    const flood = Buffer.concat(Array.from({ length: 20_000 }, () => want));
    const before = bytesInUse();
    for (let sent = 0; sent < 500_000 && lost.length === 0; sent += 20_000) {
      pipe.push(flood);
      await turns(3);
    }
    await until("the end of 1", () => lost.length > 0);
    expect(lost).toMatchObject([[1, { code: "TOO_MANY" }]]);
    expect(bytesInUse() - before).toBeLessThan(20e6);
    expect(await controller.call(2, "echo", "unhurt")).toBe("unhurt");
    await controller.close();
  });
});

describe("a relay whose parent doesn't read", () => {
  it("cuts the child that floods it with small frames before they fill its memory", async () => {
    const up = new BlockedPipe();
    const relay = createEndpoint({ parent: up, info: nodeInfo() });
    const hello = parentHello(1, { heartbeatMs: 100_000, deadAfterMs: 400_000 });
    up.push(encodeFrame(frameOf("HELLO", { body: encodeParentHello({ ...hello, ancestors: [0] }) })));
    await relay.hello;
    await turns(3);
    up.blocked = true;
    const [upper, lower] = memoryPipe();
    const child = new RawPeer(lower);
    child.send(frameOf("HELLO", { body: GOOD_BODIES.HELLO! }));
    await relay.attachChild(2, upper, parentHello(2));
    const lost: string[] = [];
    relay.onGone((_id, error) => lost.push(error.code));
    const frame = encodeFrame(frameOf("DATA", { source: 2, channel: 1, body: Buffer.alloc(0) }));
    const flood = Buffer.concat(Array.from({ length: 10_000 }, () => frame));
    const before = bytesInUse();
    let sent = 0;
    for (; sent < 400_000 && lost.length === 0; sent += 10_000) {
      child.bytes(flood);
      await turns(5);
    }
    expect(lost).toEqual(["TOO_MANY"]);
    expect(sent).toBeLessThan(MAX_FORWARDING / FRAME_COST + 20_000);
    expect(bytesInUse() - before).toBeLessThan(3 * MAX_FORWARDING);
    up.destroy();
    await relay.parentGone;
  });
});

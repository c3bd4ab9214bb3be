import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEndpoint, type NodeEndpoint } from "../../../transport/endpoint.js";
import { ErrorCode, MopError } from "../../../transport/errors.js";
import type { Endpoint } from "../../../transport/types.js";
import { FRAME_RULES } from "../../../transport/wire/constants.js";
import { encodeFrame, type Frame } from "../../../transport/wire/frame.js";
import { goodFrames } from "../../support/frames.js";
import { collect } from "../../support/memory.js";
import { memoryPipe } from "../../support/memory-pipe.js";
import { parentHello, servingNode } from "../../support/nodes.js";
import { RawPeer } from "../../support/raw-peer.js";
import { mutated } from "../../support/values.js";

interface Attacked {
  readonly peer: RawPeer;
  /** The code that the attacked side closed the link with, once it did */
  readonly code: () => string | undefined;
  /** Why the link ended must have been a MopError each time. */
  readonly errors: unknown[];
  close(): Promise<void>;
}

/** A controller whose child writes what it likes; a channel and a call to it are open. */
function attackedParent(): Attacked {
  const controller: Endpoint = createEndpoint({ root: true });
  const [upper, lower] = memoryPipe();
  const peer = new RawPeer(lower);
  const errors: unknown[] = [];
  controller.expectChild(1);
  controller.onGone((_id, error) => errors.push(error));
  controller.attachChild(1, upper, parentHello(1)).catch((error) => {
    errors.push(error);
    controller.dropChild(1, error);
  });
  controller.call(1, "echo", null).catch((error) => errors.push(error));
  void controller.open(1, "echo", null).closed;
  return {
    peer,
    errors,
    code: () => (errors[0] as MopError | undefined)?.code,
    close: async () => {
      peer.destroy();
      await controller.close();
    },
  };
}

/** A node whose parent writes what it likes. */
function attackedChild(): Attacked {
  const [upper, lower] = memoryPipe();
  const peer = new RawPeer(upper);
  const node: NodeEndpoint = servingNode(lower);
  const errors: unknown[] = [];
  void node.parentGone.then((error) => errors.push(error ?? new MopError("LINK_LOST", "goodbye")));
  return {
    peer,
    errors,
    code: () => (errors[0] as MopError | undefined)?.code,
    close: async () => {
      peer.destroy();
      await node.parentGone;
    },
  };
}

const SIDES = [
  { side: "a parent", attack: attackedParent, frames: goodFrames("below") },
  { side: "a child", attack: attackedChild, frames: goodFrames("above") },
];
const nameOf = (frame: Frame): string => FRAME_RULES.get(frame.type)!.name;
const hello = (frames: readonly Frame[]): Buffer => encodeFrame(frames.find((f) => nameOf(f) === "HELLO")!);
/** As `until`, at every turn of the event loop: thousands of waits shouldn't take 20 ms each. */
async function until(what: string, condition: () => boolean): Promise<void> {
  const end = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe.each(SIDES)("$side", ({ attack, frames }) => {
  it.each(frames.map((frame) => [nameOf(frame), frame] as const))(
    "whose peer ends within %s, at every byte, loses the link with a MopError",
    async (name, frame) => {
      const before = name === "HELLO" ? Buffer.alloc(0) : hello(frames);
      const whole = encodeFrame(frame);
      for (let length = 0; length < whole.length; length++) {
        const attacked = attack();
        attacked.peer.bytes(Buffer.concat([before, whole.subarray(0, length)]));
        attacked.peer.end();
        await until(`the end after ${length} bytes`, () => attacked.errors.length > 0);
        expect(attacked.code(), `${length} bytes`).toBe("LINK_LOST");
        await attacked.close();
      }
    },
  );

  it.each(frames.map((frame) => [nameOf(frame), frame] as const))(
    "that gets %s with its body cut off, at every byte, takes it or closes the link with a MopError",
    async (name, frame) => {
      for (let length = 0; length < frame.body.length; length++) {
        const attacked = attack();
        if (name !== "HELLO") attacked.peer.bytes(hello(frames));
        attacked.peer.send({ ...frame, body: frame.body.subarray(0, length) });
        // The answer to the PING shows that the frame was taken.
        attacked.peer.bytes(encodeFrame(frames.find((f) => nameOf(f) === "PING")!));
        await until("an outcome", () => attacked.errors.length > 0 || attacked.peer.of("PONG").length > 0);
        for (const error of attacked.errors) expect(error).toBeInstanceOf(MopError);
        if (length < FRAME_RULES.get(frame.type)!.minBody) expect(attacked.code()).toBe("PROTOCOL");
        await attacked.close();
      }
    },
  );

  it("survives 5,000 mutated frames: closes the link with a MopError or goes on, and keeps no memory", async () => {
    const bytes = fc.sample(mutated(fc.constantFrom(...frames).map(encodeFrame)), {
      numRuns: 5000,
      seed: 8949,
    });
    let closed = 0;
    const codes = new Set<string>();
    const round = async (from: number, to: number) => {
      for (let at = from; at < to; at += 50) {
        const batch = bytes.slice(at, at + 50).map((one) => {
          const attacked = attack();
          attacked.peer.bytes(Buffer.concat([hello(frames), one]));
          attacked.peer.end();
          return attacked;
        });
        for (const attacked of batch) {
          await until("the end", () => attacked.errors.length > 0);
          for (const error of attacked.errors) {
            expect(error).toBeInstanceOf(MopError);
            // One of our own mistakes, caught at the link's rim, would have what was thrown as its cause.
            expect((error as MopError).cause).toBeUndefined();
          }
          codes.add(attacked.code()!);
          if (attacked.peer.of("BYE").length > 0) closed++;
          await until("the peer's end", () => attacked.peer.ended);
          await attacked.close();
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
      collect();
      return process.memoryUsage().heapUsed;
    };
    const warm = await round(0, 1000);
    const after = await round(1000, 5000);
    // 4,000 links leave nothing behind: a kept link of some 5 kB each would be 20 MB.
    expect(after - warm).toBeLessThan(8 * 1024 * 1024);
    expect(closed).toBeGreaterThan(1000);
    for (const code of codes) expect(Object.keys(ErrorCode)).toContain(code);
    expect(codes).toContain("PROTOCOL");
  }, 60_000);

  it.each([
    ["2^31", "5a80000000"],
    ["2^32-1", "5affffffff"],
    ["2^64-1", "5bffffffffffffffff"],
  ])("refuses a frame that claims %s bytes, without waiting for them", async (_what, head) => {
    const attacked = attack();
    attacked.peer.bytes(Buffer.concat([hello(frames), Buffer.from(head, "hex")]));
    expect(await attacked.peer.goodbye()).toBe("FRAME_TOO_LARGE");
    await until("the end", () => attacked.errors.length > 0);
    expect(attacked.code()).toBe("FRAME_TOO_LARGE");
    await attacked.close();
  });

  it.each([
    ["an array of 2^32-1", "9affffffff"],
    ["a map of 2^31", "ba80000000"],
    ["bytes of 2^64-1", "5bffffffffffffffff"],
    ["text of 2^32-1", "7affffffff"],
    ["nesting of 8,000", "81".repeat(8000)],
  ])("refuses a HELLO that claims %s", async (_what, body) => {
    const attacked = attack();
    const frame = frames.find((f) => nameOf(f) === "HELLO")!;
    attacked.peer.send({ ...frame, body: Buffer.from(body, "hex") });
    expect(await attacked.peer.goodbye()).toBe("PROTOCOL");
    await attacked.close();
  });

  // A line may begin like a frame: "W" is the head of 23 bytes. Then the type, or the header's length, tells.
  it.each([
    "Last login: today\r\n",
    "bash: no job control in this shell\n",
    "Welcome to Debian GNU/Linux 12!\n",
  ])("refuses what a shell prints: %j", async (noise) => {
    const attacked = attack();
    attacked.peer.bytes(Buffer.from(noise));
    expect(await attacked.peer.goodbye()).toBe("PROTOCOL");
    await attacked.close();
  });
});

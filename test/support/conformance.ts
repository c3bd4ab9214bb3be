import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint, NodeId, Value } from "../../transport/types.js";
import { MAX_FRAME, MAX_MESSAGE } from "../../transport/wire/constants.js";

/** A controller and one node that serves as `servingNode` (nodes.ts) does, joined in some way. */
export interface ConnectedPair {
  readonly controller: Endpoint;
  readonly node: NodeId;
  /** Cuts the way to the node without a goodbye. */
  cut(): void;
  /** Ends everything that the pair started. */
  dispose(): Promise<void>;
}

const digest = (parts: readonly Uint8Array[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

/** What every link must be able to do, whatever it runs over. */
export function conformance(name: string, connect: () => Promise<ConnectedPair>): void {
  describe(`a link over ${name}`, () => {
    let pair: ConnectedPair;
    beforeAll(async () => {
      pair = await connect();
    });
    afterAll(() => pair.dispose());

    it("carries a call and its result", async () => {
      const args: Value = {
        a: [1, -1, 1.5, 2 ** 40, true, null, "ä€😀"],
        b: new Uint8Array([0, 255]),
        c: { d: {} },
      };
      const result = await pair.controller.call(pair.node, "echo", args);
      expect(result).toEqual({ ...args, b: Buffer.from([0, 255]) });
    });

    it("carries 200 calls at once, each answered with its own result", async () => {
      const calls = Array.from({ length: 200 }, (_, i) => pair.controller.call(pair.node, "echo", i));
      expect(await Promise.all(calls)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    });

    it("carries the largest arguments and refuses larger ones here", async () => {
      const room = MAX_FRAME - 32;
      const result = await pair.controller.call(pair.node, "echo", Buffer.alloc(room, 7));
      expect((result as Uint8Array).length).toBe(room);
      await expect(pair.controller.call(pair.node, "echo", Buffer.alloc(MAX_FRAME))).rejects.toMatchObject({
        code: "FRAME_TOO_LARGE",
      });
    });

    it("fails a call with the handler's message, and an unknown method with UNKNOWN_METHOD", async () => {
      await expect(pair.controller.call(pair.node, "fail", null)).rejects.toMatchObject({
        code: "INTERNAL",
        message: "it went wrong",
      });
      await expect(pair.controller.call(pair.node, "toString", null)).rejects.toMatchObject({
        code: "UNKNOWN_METHOD",
      });
    });

    it("ends a call at its deadline and when it is cancelled, here and there", async () => {
      const before = Number(await pair.controller.call(pair.node, "aborted", null));
      await expect(pair.controller.call(pair.node, "wait", null, { timeoutMs: 30 })).rejects.toMatchObject({
        code: "TIMEOUT",
      });
      const abort = new AbortController();
      const call = pair.controller.call(pair.node, "wait", null, { signal: abort.signal });
      setTimeout(() => abort.abort(), 20);
      await expect(call).rejects.toMatchObject({ code: "CANCELLED" });
      await expect(
        pair.controller.call(pair.node, "wait", null, { signal: AbortSignal.abort() }),
      ).rejects.toMatchObject({ code: "CANCELLED" });
      await expect.poll(() => pair.controller.call(pair.node, "aborted", null)).toBe(before + 2);
    });

    it("keeps order, borders and kinds of messages, empty ones too", async () => {
      const channel = pair.controller.open(pair.node, "echo", null);
      const sent: string[] = [];
      for (let i = 0; i < 500; i++) {
        const body = Buffer.alloc((i * 37) % 1500, i);
        sent.push(`${i % 5 === 0 ? "control" : "data"} ${digest([body])}`);
        void (i % 5 === 0 ? channel.control(body) : channel.write(body));
      }
      channel.end();
      const received: string[] = [];
      for await (const item of channel.receive()) received.push(`${item.type} ${digest([item.body])}`);
      expect(received).toEqual(sent);
      expect(await channel.closed).toBeUndefined();
    });

    it("carries 8 MB each way at once, unaltered", async () => {
      const pieces = Array.from({ length: 160 }, () => randomBytes(50_000));
      const channel = pair.controller.open(pair.node, "echo", null);
      const writing = (async () => {
        for (const piece of pieces) await channel.write(piece);
        channel.end();
      })();
      const received: Uint8Array[] = [];
      for await (const item of channel.receive()) received.push(item.body);
      await writing;
      expect(digest(received)).toBe(digest(pieces));
    });

    it("half-closes: what comes back after our end arrives", async () => {
      const channel = pair.controller.open(pair.node, "count", null);
      await channel.write(Buffer.alloc(1000));
      channel.end();
      await expect(channel.write(Buffer.alloc(1))).rejects.toMatchObject({ code: "CHANNEL_CLOSED" });
      const received: Uint8Array[] = [];
      for await (const item of channel.receive()) received.push(item.body);
      expect(Buffer.concat(received).toString()).toBe("1000");
    });

    it("lets a slow reader hold up its own channel only", async () => {
      const stuck = pair.controller.open(pair.node, "unread", null);
      let written = 0;
      const blocked = (async () => {
        for (;;) {
          await stuck.write(Buffer.alloc(50_000));
          written += 50_000;
        }
      })().catch((error: { code: string }) => error.code);
      const slow = pair.controller.open(pair.node, "source", 5_000_000);
      const free = pair.controller.open(pair.node, "source", 5_000_000);
      let bytes = 0;
      for await (const item of free.receive()) bytes += item.body.length;
      expect(bytes).toBe(5_000_000);
      expect(written).toBeLessThan(300_000);
      stuck.reset("CANCELLED");
      expect(await blocked).toBe("CANCELLED");
      bytes = 0;
      for await (const item of slow.receive()) bytes += item.body.length;
      expect(bytes).toBe(5_000_000);
    });

    it("shows a reset's code and message on the other side", async () => {
      const channel = pair.controller.open(pair.node, "refuse", null);
      expect(await channel.closed).toMatchObject({ code: "AUTH_REFUSED", message: "not with this key" });
      await expect(channel.write(Buffer.alloc(1))).rejects.toMatchObject({ code: "AUTH_REFUSED" });
      const unknown = pair.controller.open(pair.node, "constructor", null);
      expect(await unknown.closed).toMatchObject({ code: "UNKNOWN_METHOD" });
    });

    it("refuses messages over MAX_MESSAGE, calls and channels to unknown nodes", async () => {
      const channel = pair.controller.open(pair.node, "unread", null);
      await channel.write(Buffer.alloc(MAX_MESSAGE));
      await expect(channel.write(Buffer.alloc(MAX_MESSAGE + 1))).rejects.toMatchObject({
        code: "FRAME_TOO_LARGE",
      });
      channel.reset("CANCELLED");
      await expect(pair.controller.call(999, "echo", null)).rejects.toMatchObject({ code: "NO_ROUTE" });
      expect(await pair.controller.open(999, "echo", null).closed).toMatchObject({ code: "NO_ROUTE" });
    });

    it("measures round trips and counts bytes", async () => {
      const child = pair.controller.childToward(pair.node)!;
      expect(await pair.controller.ping(child)).toBeGreaterThan(0);
      const before = pair.controller.counters().find((c) => c.child === child)!;
      await pair.controller.call(pair.node, "echo", Buffer.alloc(10_000));
      const after = pair.controller.counters().find((c) => c.child === child)!;
      expect(after.sent - before.sent).toBeGreaterThan(10_000);
      expect(after.sent - before.sent).toBeLessThan(10_200);
      expect(after.received - before.received).toBeGreaterThan(10_000);
    });

    it("fails every call and channel when the way is cut, and tells it once", async () => {
      const gone: NodeId[] = [];
      pair.controller.onGone((id) => gone.push(id));
      const call = pair.controller
        .call(pair.node, "wait", null)
        .catch((error: { code: string }) => error.code);
      const channel = pair.controller.open(pair.node, "unread", null);
      await channel.write(Buffer.alloc(10));
      pair.cut();
      expect(await call).toBe("LINK_LOST");
      expect(await channel.closed).toMatchObject({ code: "LINK_LOST" });
      await expect(channel.receive()[Symbol.asyncIterator]().next()).rejects.toMatchObject({
        code: "LINK_LOST",
      });
      await expect(pair.controller.call(pair.node, "echo", 1)).rejects.toMatchObject({ code: "NODE_GONE" });
      expect(gone.filter((id) => id === pair.node)).toHaveLength(1);
    });
  });
}

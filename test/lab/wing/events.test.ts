import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { decodeValue } from "../../../transport/wire/value.js";
import { local, offer } from "./mesh.js";
import { source, wingLab } from "./support.js";

const lab = wingLab();

/** An event with a number as a Value in CBOR: what a wing script may say without a codec. */
const NUMBER = "const number = (n) => Buffer.from([0x1a, n >>> 24, n >>> 16, n >>> 8, n]);";

describe("a wing's events", () => {
  test("arrive complete and in order, and the result behind them", async () => {
    const { events, result } = lab.run(`${NUMBER}
      for (let n = 1; n <= 10000; n++) await host.emit(number(n));
      host.done(number(7));`);
    expect(decodeValue(await result)).toBe(7);
    expect(events).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 1));
  });

  test("arrive when nobody awaits their room, of any size", async () => {
    const sizes = [0, 1, 30_000, 32_768, 65_536, 1 << 20];
    const got: number[] = [];
    const { result } = lab.run(
      `for (const size of ${JSON.stringify(sizes)}) host.emit(Buffer.alloc(size, size));
       host.done(Buffer.alloc(300000, 5));`,
      { onEvent: (event) => void got.push(event.length) },
    );
    expect(Buffer.alloc(300_000, 5).equals(await result)).toBe(true);
    expect(got).toEqual(sizes);
  });

  test("of several wings on one node stay apart", async () => {
    const mesh = lab.mesh();
    const node = mesh.reach([local]);
    const script = `${NUMBER}
      for (let n = 0; n < 500; n++) await host.emit(Buffer.concat([host.order, number(n)]));
      host.done(host.order);`;
    const entry = offer(mesh, node, source(script));
    const wings = ["a", "b", "c"].map(async (name) => {
      const got: string[] = [];
      const order = Buffer.from(name);
      const result = await node.wing({
        entry,
        order,
        onEvent: (event) => void got.push(Buffer.from(event.subarray(0, 1)).toString()),
      });
      expect(Buffer.from(result).toString()).toBe(name);
      expect(got).toEqual(Array(500).fill(name));
    });
    await Promise.all(wings);
    const again = await node.wing({ entry, order: Buffer.from("d"), onEvent: () => {} });
    expect(Buffer.from(again).toString()).toBe("d");
  });

  test("hold up `emit` while the controller takes them slowly", async () => {
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    let taken = 0;
    // 131 MB in all
    const { node, result } = lab.run(
      `for (let n = 0; n < 4000; n++) await host.emit(Buffer.alloc(32768, n));
       host.done(Buffer.alloc(1));`,
      {
        onEvent: async () => {
          taken++;
          await opened;
        },
      },
    );
    await node.up;
    // Until its memory has stopped growing
    let rss = 0;
    for (let calm = 0; calm < 10; ) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const now = ((await node.call("stats", null)) as { rss: number }).rss;
      calm = taken > 0 && now <= rss * 1.01 ? calm + 1 : 0;
      rss = Math.max(rss, now);
    }
    expect(taken).toBe(1);
    expect(rss).toBeLessThan(100e6);
    open();
    await result;
    expect(taken).toBe(4000);
  });
});

describe("a wing", () => {
  test("gets its order whole when it doesn't fit one frame", async () => {
    const order = Buffer.alloc(500_000, "order");
    const { result } = lab.run(
      `host.done(require("node:crypto").createHash("sha256").update(host.order).digest());`,
      { order },
    );
    expect(Buffer.from(await result)).toEqual(createHash("sha256").update(order).digest());
  });

  test("may write to stdout: frames are not hurt", async () => {
    const { events, result } = lab.run(`
      for (let n = 0; n < 200; n++) {
        console.log("chatter", n);
        process.stdout.write("more");
        process.stderr.write("and errors\\n");
        await host.emit(Buffer.from([n & 15]));
        if (n % 20 === 0) await new Promise(setImmediate);
      }
      host.done(Buffer.from([1]));`);
    expect(decodeValue(await result)).toBe(1);
    expect(events).toHaveLength(200);
  });

  test("with a role that does nothing takes a node of less than 80 MB", async () => {
    const { events, result } = lab.run(`${NUMBER}
      // Of the whole process, while both threads run
      await host.emit(number(process.memoryUsage.rss()));
      host.done(number(1));`);
    await result;
    expect(events[0]).toBeGreaterThan(20e6);
    expect(events[0]).toBeLessThan(80e6);
  });
});

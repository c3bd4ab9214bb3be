import { once } from "node:events";
import net from "node:net";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../../support/alive.js";
import { createDelayProxy, type DelayProxy, type DelayProxyOptions } from "../../support/lab.js";

describe("delay proxy", () => {
  let server: net.Server;
  let proxy: DelayProxy;
  let accepted: net.Socket[];
  const clients: net.Socket[] = [];

  beforeEach(async () => {
    accepted = [];
    server = net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      accepted.push(socket);
      socket.on("error", () => {});
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });

  afterEach(async () => {
    for (const socket of [...clients.splice(0), ...accepted]) socket.destroy();
    await proxy.close();
    await new Promise((resolve) => server.close(resolve));
  });

  const start = async (options: Partial<DelayProxyOptions> = {}) => {
    const { port } = server.address() as net.AddressInfo;
    proxy = await createDelayProxy({ target: { host: "127.0.0.1", port }, ...options });
  };
  const dial = () => {
    const socket = net.connect({ host: proxy.host, port: proxy.port, noDelay: true, allowHalfOpen: true });
    socket.on("error", () => {});
    clients.push(socket);
    return socket;
  };
  /** Unlike `once`, it doesn't mind the error that comes before. */
  const closed = (socket: net.Socket) =>
    new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
    });
  const echo = async (socket: net.Socket, bytes: Buffer) => {
    const begun = performance.now();
    let got = 0;
    const done = new Promise<void>((resolve) => {
      const take = (chunk: Buffer) => {
        got += chunk.length;
        if (got < bytes.length) return;
        socket.off("data", take);
        resolve();
      };
      socket.on("data", take);
    });
    socket.write(bytes);
    await done;
    return performance.now() - begun;
  };

  /**
   * The quickest of some tries in milliseconds, the same things each time: no more of them once all are below their bounds.
   * What else the machine does makes them longer, never shorter.
   */
  const quickest = async (bounds: readonly number[], measure: () => Promise<readonly number[]>) => {
    let least = bounds.map(() => Number.POSITIVE_INFINITY);
    for (let tries = 0; tries < 20 && least.some((ms, index) => ms >= bounds[index]!); tries++) {
      const took = await measure();
      least = least.map((ms, index) => Math.min(ms, took[index]!));
    }
    return least;
  };

  test("the first echo costs the handshake and a round trip, the next a round trip", async () => {
    await start({ delayMs: 50 });
    const [first, second] = await quickest([260, 150], async () => {
      const socket = dial();
      return [await echo(socket, Buffer.from("a")), await echo(socket, Buffer.from("b"))];
    });
    expect(first).toBeGreaterThanOrEqual(199);
    expect(first).toBeLessThan(260);
    expect(second).toBeGreaterThanOrEqual(99);
    expect(second).toBeLessThan(150);
  });

  test("without a rate a megabyte takes no longer than a byte", async () => {
    await start({ delayMs: 50 });
    const socket = dial();
    await echo(socket, Buffer.from("a"));
    const [took] = await quickest([250], async () => [await echo(socket, Buffer.alloc(1 << 20))]);
    expect(took).toBeLessThan(250);
  });

  test("with slow start what fits in ten segments costs nothing more; 200 kB cost two round trips more, once", async () => {
    await start({ delayMs: 50 });
    proxy.setSlowStart(true);
    const [small, slow, again] = await quickest([190, 500, 290], async () => {
      const socket = dial();
      await echo(socket, Buffer.from("a"));
      return [
        await echo(socket, Buffer.alloc(14_000)),
        // 14 kB were acknowledged: windows of 28, 57 and 114 kB follow, and the far end's begin as small
        await echo(socket, Buffer.alloc(200_000)),
        await echo(socket, Buffer.alloc(200_000)),
      ];
    });
    expect(small).toBeLessThan(190);
    expect(slow).toBeGreaterThanOrEqual(295);
    expect(slow).toBeLessThan(500);
    expect(again).toBeLessThan(290);
  });

  test("a rate holds in each direction, and bytes are counted each way", async () => {
    await start({ bytesPerSecond: 200_000 });
    const [took] = await quickest([1000], async () => {
      proxy.resetCounters();
      return [await echo(dial(), Buffer.alloc(100_000))];
    });
    // The directions overlap: the echo starts when the first bytes arrive.
    expect(took).toBeGreaterThan(450);
    expect(took).toBeLessThan(1000);
    expect(proxy.toTarget).toBe(100_000);
    expect(proxy.fromTarget).toBe(100_000);
  });

  test("bytes stay in order when the delay is lowered under way", async () => {
    await start({ delayMs: 60 });
    const socket = dial();
    await echo(socket, Buffer.from("x"));
    const seen: string[] = [];
    socket.on("data", (chunk: Buffer) => seen.push(chunk.toString()));
    socket.write("1");
    await sleep(10);
    proxy.setDelay(0);
    socket.write("2");
    await until("both", () => seen.join("").length === 2);
    expect(seen.join("")).toBe("12");
  });

  test("a half-close travels to the far end and leaves the way back open", async () => {
    await start({ delayMs: 20 });
    const socket = dial();
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk;
    });
    socket.end("bye");
    await once(socket, "end");
    expect(text).toBe("bye");
  });

  test("a cut resets both ends at once", async () => {
    await start({ delayMs: 100 });
    const [took] = await quickest([90], async () => {
      const socket = dial();
      await echo(socket, Buffer.from("x"));
      const far = closed(accepted.at(-1)!);
      const near = closed(socket);
      const begun = performance.now();
      proxy.cut();
      await Promise.all([far, near]);
      expect(socket.errored).toMatchObject({ code: "ECONNRESET" });
      return [performance.now() - begun];
    });
    expect(took).toBeLessThan(90);
  });

  test("a black hole swallows bytes and closes nothing; new connections are swallowed too", async () => {
    await start();
    const socket = dial();
    await echo(socket, Buffer.from("x"));
    proxy.blackHole(true);
    let heard = 0;
    socket.on("data", () => heard++);
    socket.write("lost");
    const late = dial();
    late.on("data", () => heard++);
    late.write("lost too");
    await sleep(150);
    expect(heard).toBe(0);
    expect(socket.closed || late.closed || accepted[0]!.closed).toBe(false);
    expect(accepted).toHaveLength(1);
    proxy.blackHole(false);
    const [took] = await quickest([100], async () => [await echo(dial(), Buffer.from("x"))]);
    expect(took).toBeLessThan(100);
  });

  test("a target that refuses shows as a reset", async () => {
    await start();
    await new Promise((resolve) => server.close(resolve));
    const socket = dial();
    await closed(socket);
    expect(socket.errored).toMatchObject({ code: "ECONNRESET" });
    server.listen(0, "127.0.0.1");
  });
});

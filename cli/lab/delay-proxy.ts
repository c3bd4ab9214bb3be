import net from "node:net";
import { performance } from "node:perf_hooks";
import { DelayQueue, type Pace } from "./delay-queue.js";
import { SlowStart } from "./slow-start.js";

export interface DelayProxyOptions {
  /** Where the far end of the link is */
  readonly target: { readonly host: string; readonly port: number };
  /** One way, each direction, in ms; the round trip is twice that, and the TCP handshake costs one. Default 0 */
  readonly delayMs?: number;
  /** Each direction, bytes a second. Default: no limit */
  readonly bytesPerSecond?: number;
  /** Loopback address to listen on. Default 127.0.0.1 */
  readonly host?: string;
}

/** A TCP connection's slow, breakable stretch of road, on loopback. */
export interface DelayProxy {
  readonly host: string;
  readonly port: number;
  /** Payload bytes that came in from clients, all connections together */
  readonly toTarget: number;
  /** Payload bytes that came in from the target */
  readonly fromTarget: number;
  /** Connections accepted so far */
  readonly connections: number;
  /** Takes effect for what enters from now on */
  setDelay(ms: number): void;
  setRate(bytesPerSecond: number | undefined): void;
  /** Whether connections that are made from now on begin slowly, as TCP's do over a real link. Default: they don't */
  setSlowStart(on: boolean): void;
  resetCounters(): void;
  /** Breaks every connection with RST, at both ends at once. New ones are taken. */
  cut(): void;
  /** true: swallows everything from now on, without RST or FIN; false: takes new connections, old ones stay dead. */
  blackHole(on: boolean): void;
  close(): Promise<void>;
}

/** With a rate or slow start: bytes that may wait inside before the sender is held up. */
const HELD_MAX = 1 << 20;

const NOTHING = Buffer.alloc(0);

interface Counts {
  toTarget: number;
  fromTarget: number;
}

/** One proxied connection: two queues between two sockets. */
class Stretch {
  private readonly queues: (DelayQueue | SlowStart)[] = [];
  private readonly upstream = new net.Socket({ allowHalfOpen: true });
  private readonly client: net.Socket;
  private readonly pace: Pace;
  private readonly slowStart: boolean;
  private silent = false;

  constructor(
    client: net.Socket,
    pace: Pace,
    slowStart: boolean,
    { target }: DelayProxyOptions,
    counts: Counts,
  ) {
    this.client = client;
    this.slowStart = slowStart;
    this.pace = pace;
    // The SYN takes one delay to the target, and what the client writes can't leave before the SYN-ACK came back.
    const handshake = performance.now() + 2 * pace.delayMs;
    this.upstream.setNoDelay(true);
    const dial = new DelayQueue(pace);
    this.queues.push(dial);
    dial.put(() => this.upstream.connect(target.port, target.host));
    this.join(client, this.upstream, handshake, (bytes) => {
      counts.toTarget += bytes;
    });
    this.join(this.upstream, client, 0, (bytes) => {
      counts.fromTarget += bytes;
    });
  }

  /** Both ends are closed. */
  get over(): boolean {
    return this.client.closed && this.upstream.closed;
  }

  onClose(handler: () => void): void {
    this.client.once("close", handler);
    this.upstream.once("close", handler);
  }

  /** RST to both ends. */
  reset(): void {
    for (const queue of this.queues) queue.stop();
    this.client.resetAndDestroy();
    // A socket that was never connected has nobody to reset, and would wait for its connection.
    if (this.upstream.readyState === "open") this.upstream.resetAndDestroy();
    else this.upstream.destroy();
  }

  /** Forwards nothing from now on, and tells nobody. */
  silence(): void {
    this.silent = true;
    for (const queue of this.queues) queue.stop();
  }

  private join(from: net.Socket, to: net.Socket, notBefore: number, count: (bytes: number) => void): void {
    const queue = new DelayQueue(this.pace);
    this.queues.push(queue);
    const gate = this.slowStart ? new SlowStart(this.pace) : undefined;
    if (gate) this.queues.push(gate);
    const put = (chunk: Buffer, act: (part: Buffer) => void) => {
      const enter = (part: Buffer) => queue.put(() => act(part), part.length, notBefore);
      if (gate) gate.put(chunk, notBefore, enter);
      else enter(chunk);
    };
    let held = 0;
    from.on("data", (chunk: Buffer) => {
      if (this.silent) return;
      count(chunk.length);
      held += chunk.length;
      put(chunk, (part) => {
        held -= part.length;
        if (from.isPaused() && held < HELD_MAX) from.resume();
        if (to.writable) to.write(part);
      });
      if (held > HELD_MAX && (gate || this.pace.bytesPerSecond !== undefined)) from.pause();
    });
    from.once("end", () => put(NOTHING, () => to.end()));
    // `close` follows, and tells the other end in the order of the bytes.
    from.on("error", () => {});
    from.once("close", () =>
      put(NOTHING, () => {
        if (from.errored && to.readyState === "open") to.resetAndDestroy();
        else to.destroySoon();
      }),
    );
  }
}

/** A proxy on loopback that makes the way to `target` as long, narrow or unreliable as a test or the demo needs it. */
export async function createDelayProxy(options: DelayProxyOptions): Promise<DelayProxy> {
  const host = options.host ?? "127.0.0.1";
  const pace: Pace = { delayMs: options.delayMs ?? 0, bytesPerSecond: options.bytesPerSecond };
  const counts: Counts = { toTarget: 0, fromTarget: 0 };
  const stretches = new Set<Stretch>();
  const sockets = new Set<net.Socket>();
  let connections = 0;
  let swallow = false;
  let slowStart = false;

  const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    connections++;
    sockets.add(client);
    client.once("close", () => sockets.delete(client));
    if (swallow) {
      client.on("error", () => {}).resume();
      return;
    }
    const stretch = new Stretch(client, pace, slowStart, options, counts);
    stretches.add(stretch);
    stretch.onClose(() => {
      if (stretch.over) stretches.delete(stretch);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, host, resolve);
  });
  const { port } = server.address() as net.AddressInfo;

  return {
    host,
    port,
    get toTarget() {
      return counts.toTarget;
    },
    get fromTarget() {
      return counts.fromTarget;
    },
    get connections() {
      return connections;
    },
    setDelay(ms) {
      pace.delayMs = ms;
    },
    setRate(bytesPerSecond) {
      pace.bytesPerSecond = bytesPerSecond;
    },
    setSlowStart(on) {
      slowStart = on;
    },
    resetCounters() {
      counts.toTarget = 0;
      counts.fromTarget = 0;
    },
    cut() {
      for (const stretch of [...stretches]) stretch.reset();
    },
    blackHole(on) {
      swallow = on;
      if (on) for (const stretch of stretches) stretch.silence();
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const stretch of [...stretches]) stretch.reset();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

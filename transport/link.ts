import { afterReading } from "./after-reading.js";
import { asMopError, MopError } from "./errors.js";
import type { OutgoingQueue } from "./queue.js";
import type { BytePipe } from "./types.js";
import { SequenceSplitter } from "./wire/cbor-sequence.js";
import { FrameType } from "./wire/constants.js";
import {
  decodeFrame,
  EMPTY,
  encodeFrame,
  type Frame,
  frameParts,
  frameSize,
  readU32,
  u32,
} from "./wire/frame.js";
import { encodeProblem, readProblem } from "./wire/problem.js";
import { encodeValue } from "./wire/value.js";

/** Bytes handed to the pipe in one write, about. */
const BATCH_BYTES = 64 * 1024;
/** Answers to PING that may wait; a peer that asks for more without reading gets none. */
const MAX_PONGS = 16;
/** Between our end of a pipe and its destruction. */
const LINGER_MS = 500;

export interface LinkOptions {
  readonly pipe: BytePipe;
  readonly queue: OutgoingQueue;
  /** Body of our HELLO, the first frame */
  readonly hello: Uint8Array;
  readonly onHello: (body: Uint8Array) => void;
  /** Every other frame that isn't the link's own. A MopError that it throws closes the link. */
  readonly onFrame: (frame: Frame) => void;
  /** Once: the link is over; undefined after a clean goodbye. */
  readonly onClosed: (error: MopError | undefined) => void;
  /** The other side said goodbye; we may say ours when what is below is closed. */
  readonly onBye: (error: MopError | undefined) => void;
}

export const linkFrame = (type: number, body: Uint8Array = EMPTY): Frame => ({
  type,
  flags: 0,
  destination: 0,
  source: 0,
  channel: 0,
  body,
});

type State = "open" | "closing" | "closed";

/**
 * One link: frames in and out of a byte pipe, heartbeats, goodbyes. The one file that touches a pipe.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #splitter = new SequenceSplitter();
  #state: State = "open";
  #heard = false;
  /** What the peer's BYE said */
  #bye: { error: MopError | undefined } | undefined;
  #flushPlanned = false;
  #blocked = false;
  /** Set when our BYE was written; nothing follows it */
  #finished = false;
  #goodbye: Frame | undefined;
  /** The peer writes no more, after its goodbye */
  #ended = false;
  #lastSign = 0;
  #calmHeart: (() => void) | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #token = 0;
  readonly #pings = new Map<
    number,
    { sent: number; resolve: (ms: number) => void; reject: (e: MopError) => void }
  >();
  #pongs = 0;
  /** Resolves when the link is over. */
  readonly closed: Promise<void>;
  #resolveClosed: () => void = () => {};
  sent = 0;
  received = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    const { pipe } = options;
    pipe.on("data", this.#onData);
    pipe.on("drain", this.#onDrain);
    pipe.on("end", this.#onReadEnd);
    pipe.on("close", this.#onEnd);
    pipe.on("error", this.#onError);
    this.#write([encodeFrame(linkFrame(FrameType.HELLO, options.hello))]);
    this.wake();
  }

  /** The other side said hello. */
  get up(): boolean {
    return this.#heard;
  }

  get open(): boolean {
    return this.#state === "open";
  }

  /** Something stands in the queue: it leaves at the end of this tick, together with what joins it until then. */
  wake(): void {
    if (this.#flushPlanned || this.#blocked || this.#finished || this.#state === "closed") return;
    this.#flushPlanned = true;
    setImmediate(this.#flush);
  }

  /** Begins to expect signs of life: from the peer's hello on. */
  startHeartbeat(everyMs: number, deadAfterMs: number): void {
    if (this.#state === "closed" || this.#calmHeart) return;
    this.#lastSign = performance.now();
    this.#planBeat(everyMs, everyMs, deadAfterMs);
  }

  ping(): Promise<number> {
    if (this.#state !== "open") return Promise.reject(new MopError("LINK_LOST", "The link is closed"));
    return new Promise((resolve, reject) => {
      this.#pings.set(this.#sendPing(), { sent: performance.now(), resolve, reject });
    });
  }

  /**
   * Says goodbye behind what is queued, ends our side and waits for the other's end, at most `graceMs`.
   * With `discard` what channels have queued is not sent any more.
   */
  close(reason: MopError | undefined, graceMs: number, discard: boolean): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    if (discard) this.#options.queue.dropFlows();
    this.#goodbye = linkFrame(FrameType.BYE, reason ? encodeProblem(reason) : encodeValue(null));
    this.#deadline = setTimeout(() => this.#over(reason), graceMs);
    this.wake();
  }

  /** Ends the link now: says why (if the pipe still takes it) and forgets the rest. */
  fail(error: MopError): void {
    if (this.#state === "closed") return;
    if (!this.#finished && !this.#options.pipe.destroyed && this.#options.pipe.writable) {
      this.#finished = true;
      this.#write([encodeFrame(linkFrame(FrameType.BYE, encodeProblem(error)))]);
      this.#options.pipe.end();
    }
    this.#over(error);
  }

  readonly #onData = (chunk: Uint8Array): void => {
    this.received += chunk.length;
    this.#lastSign = performance.now();
    if (this.#state === "closed") return;
    try {
      for (const item of this.#splitter.push(chunk)) {
        this.#receive(decodeFrame(item));
        if (this.#isClosed()) return;
      }
    } catch (error) {
      this.fail(asMopError(error));
    }
  };

  // Read through a method: TypeScript would take the state for unchanged within a loop.
  #isClosed(): boolean {
    return this.#state === "closed";
  }

  #receive(frame: Frame): void {
    if (frame.type === FrameType.HELLO && this.#heard) throw new MopError("PROTOCOL", "A second HELLO came");
    if (frame.type !== FrameType.HELLO && !this.#heard && frame.type !== FrameType.BYE)
      throw new MopError("PROTOCOL", "The first frame is not HELLO");
    if (frame.type <= FrameType.BYE && (frame.destination | frame.source | frame.channel) !== 0)
      throw new MopError("BAD_SOURCE", "A frame between neighbours has no addresses");
    switch (frame.type) {
      case FrameType.HELLO:
        this.#heard = true;
        this.#options.onHello(frame.body);
        break;
      case FrameType.PING:
        this.#answer(frame);
        break;
      case FrameType.PONG:
        this.#ponged(readU32(frame.body));
        break;
      case FrameType.BYE:
        this.#onBye(frame.body);
        break;
      default:
        this.#options.onFrame(frame);
    }
  }

  #answer(frame: Frame): void {
    if (this.#pongs >= MAX_PONGS) return;
    this.#pongs++;
    const done = (): void => {
      this.#pongs--;
    };
    this.#options.queue.push(linkFrame(FrameType.PONG, frame.body), { taken: done, dropped: done });
    this.wake();
  }

  #ponged(token: number): void {
    const ping = this.#pings.get(token);
    this.#pings.delete(token);
    ping?.resolve(performance.now() - ping.sent);
  }

  #onBye(body: Uint8Array): void {
    if (this.#bye) return;
    const error = readProblem(body);
    // The clean goodbye is null, which is no error.
    this.#bye = { error: body.length === 1 && body[0] === 0xf6 ? undefined : error };
    this.#options.onBye(this.#bye.error);
  }

  #sendPing(): number {
    this.#token = (this.#token + 1) >>> 0;
    this.#options.queue.push(linkFrame(FrameType.PING, u32(this.#token)));
    this.wake();
    return this.#token;
  }

  #planBeat(ms: number, everyMs: number, deadAfterMs: number): void {
    const due = performance.now() + ms;
    this.#calmHeart = afterReading(ms, () => this.#onBeat(due, everyMs, deadAfterMs));
  }

  #onBeat(due: number, everyMs: number, deadAfterMs: number): void {
    const now = performance.now();
    // Time in which this process itself stood still (suspended, or busy) is no silence: nobody was asked anything
    this.#lastSign = Math.min(now, this.#lastSign + Math.max(0, now - due));
    const silence = now - this.#lastSign;
    if (silence > deadAfterMs) {
      this.fail(new MopError("LINK_LOST", `Nothing was heard for ${Math.round(silence / 1000)} s`));
      return;
    }
    if (silence >= everyMs * 0.9 && this.#state === "open") this.#sendPing();
    // Not a whole beat later than promised: those below wait for it too
    const left = deadAfterMs - silence + 1;
    this.#planBeat(left > 0 ? Math.min(everyMs, left) : everyMs, everyMs, deadAfterMs);
  }

  readonly #flush = (): void => {
    this.#flushPlanned = false;
    while (!this.#blocked && !this.#finished && this.#state !== "closed") {
      const parts: Uint8Array[] = [];
      let bytes = 0;
      while (bytes < BATCH_BYTES) {
        const frame = this.#options.queue.shift();
        if (!frame) break;
        parts.push(...frameParts(frame));
        bytes += frameSize(frame);
      }
      if (this.#goodbye && this.#options.queue.empty) {
        parts.push(encodeFrame(this.#goodbye));
        this.#finished = true;
      }
      if (parts.length > 0) this.#write(parts);
      if (this.#finished) this.#options.pipe.end();
      if (this.#finished && this.#ended) this.#over(this.#bye?.error);
      if (parts.length === 0) return;
    }
  };

  #write(parts: readonly Uint8Array[]): void {
    const { pipe } = this.#options;
    if (pipe.destroyed || !pipe.writable) return;
    const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    this.sent += bytes.length;
    if (!pipe.write(bytes)) this.#blocked = true;
  }

  readonly #onDrain = (): void => {
    this.#blocked = false;
    // A full pipe that takes bytes again: the other side reads.
    this.#lastSign = performance.now();
    this.wake();
  };

  /** Whoever said goodbye and ended still reads: answers to what came before, then our goodbye. */
  readonly #onReadEnd = (): void => {
    this.#ended = this.#bye !== undefined && !this.#finished;
    if (!this.#ended) this.#onEnd();
  };

  readonly #onEnd = (): void => {
    if (this.#state === "closed") return;
    if (this.#bye) this.#over(this.#bye.error);
    else if (this.#splitter.partial) this.#over(new MopError("LINK_LOST", "The link ended within a frame"));
    else
      this.#over(this.#finished ? undefined : new MopError("LINK_LOST", "The link ended without a goodbye"));
  };

  readonly #onError = (error: Error): void => {
    // Who said goodbye may be gone with its host by then
    this.#over(
      this.#bye
        ? this.#bye.error
        : new MopError("LINK_LOST", `The link broke: ${error.message}`, { cause: error }),
    );
  };

  #over(error: MopError | undefined): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#calmHeart?.();
    clearTimeout(this.#deadline);
    const lost = error ?? new MopError("LINK_LOST", "The link is closed");
    for (const ping of this.#pings.values()) ping.reject(lost);
    this.#pings.clear();
    this.#options.queue.clear();
    this.#letGo();
    this.#resolveClosed();
    this.#options.onClosed(error);
  }

  /** What was written last, a BYE most of all, should still leave; then the pipe is destroyed. */
  #letGo(): void {
    const { pipe } = this.#options;
    if (pipe.destroyed) return;
    if (!pipe.writableEnded) pipe.end();
    const linger = setTimeout(() => pipe.destroy(), LINGER_MS);
    linger.unref();
    pipe.once("close", () => clearTimeout(linger));
  }
}

import { performance } from "node:perf_hooks";
import type { Pace } from "./delay-queue.js";

/** Payload of a TCP segment on Ethernet. */
const SEGMENT = 1448;
/** Bytes that may be under way before the first acknowledgement (RFC 6928). */
const INITIAL_WINDOW = 10 * SEGMENT;

/**
 * A TCP sender's slow start (RFC 5681), which a proxy on loopback would hide: so many bytes may be under way, and each
 * acknowledgement, a round trip later, lets out what it acknowledges and as much again. Losses and idle times are not
 * modelled.
 */
export class SlowStart {
  private readonly pace: Pace;
  private readonly waiting: { bytes: number; leave: () => void }[] = [];
  private readonly timers = new Set<NodeJS.Timeout>();
  private window = INITIAL_WINDOW;
  private flying = 0;

  constructor(pace: Pace) {
    this.pace = pace;
  }

  /** Calls `leave` for each segment of the chunk when it may go; an empty chunk goes behind those before it. */
  put(chunk: Buffer, notBefore: number, leave: (segment: Buffer) => void): void {
    let at = 0;
    do {
      const segment = chunk.subarray(at, at + SEGMENT);
      this.waiting.push({
        bytes: segment.length,
        leave: () => {
          leave(segment);
          this.fly(segment.length, Math.max(0, notBefore - performance.now()) + 2 * this.pace.delayMs);
        },
      });
      at += SEGMENT;
    } while (at < chunk.length);
    this.release();
  }

  stop(): void {
    this.waiting.length = 0;
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  private fly(bytes: number, roundTrip: number): void {
    if (bytes === 0) return;
    this.flying += bytes;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.flying -= bytes;
      this.window += bytes;
      this.release();
    }, roundTrip);
    this.timers.add(timer);
  }

  private release(): void {
    while (this.waiting[0] && this.flying + this.waiting[0].bytes <= this.window)
      this.waiting.shift()?.leave();
  }
}

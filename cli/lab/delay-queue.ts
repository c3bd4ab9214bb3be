import { performance } from "node:perf_hooks";

/** How long and how narrow a link is; may be changed while it is in use. */
export interface Pace {
  /** One way, in ms */
  delayMs: number;
  /** undefined: no limit */
  bytesPerSecond: number | undefined;
}

/**
 * One direction of a slow link: what is put in happens at its far end in the same order, `delayMs` later, and not
 * faster than `bytesPerSecond`. Without a rate nothing waits for what went before it.
 */
export class DelayQueue {
  private readonly pace: Pace;
  private readonly waiting: { act: () => void; due: number }[] = [];
  private timer: NodeJS.Timeout | undefined;
  /** When the wire is free again; only moved by a rate */
  private wireFree = 0;
  private lastDue = 0;
  private stopped = false;

  constructor(pace: Pace) {
    this.pace = pace;
  }

  /** `notBefore`: earliest moment (performance.now()) at which it may leave, for a handshake that must come first. */
  put(act: () => void, bytes = 0, notBefore = 0): void {
    if (this.stopped) return;
    let sent = Math.max(performance.now(), notBefore);
    if (this.pace.bytesPerSecond !== undefined && bytes > 0) {
      this.wireFree = Math.max(sent, this.wireFree) + (bytes * 1000) / this.pace.bytesPerSecond;
      sent = this.wireFree;
    }
    // A delay that was lowered meanwhile must not let later bytes overtake.
    this.lastDue = Math.max(this.lastDue, sent + this.pace.delayMs);
    this.waiting.push({ act, due: this.lastDue });
    if (this.waiting.length === 1) this.schedule();
  }

  /** Nothing comes out any more; what is inside is lost. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.waiting.length = 0;
  }

  private schedule(): void {
    const next = this.waiting[0];
    if (!next) return;
    this.timer = setTimeout(() => this.release(), Math.max(0, Math.ceil(next.due - performance.now())));
  }

  private release(): void {
    // Half a millisecond early is nearer to the truth than a timer's whole one late.
    const now = performance.now() + 0.5;
    while (!this.stopped && this.waiting[0] && this.waiting[0].due <= now) this.waiting.shift()?.act();
    if (!this.stopped) this.schedule();
  }
}

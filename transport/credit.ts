import { INITIAL_WINDOW, MAX_WINDOW, MESSAGE_COST } from "./wire/constants.js";

/** Credit that one message costs, in bytes. */
export const messageCost = (bytes: number): number => bytes + MESSAGE_COST;

/**
 * The reader's side of a channel's flow control: what the writer may still send, and how far the window should
 * grow. As in gRPC: count what arrives within one measured round trip; when that nearly fills the window at a rate
 * not seen before, the window becomes twice the sample. Pure: times come in as arguments, in ms.
 */
export class ReceiveWindow {
  #window = INITIAL_WINDOW;
  /** The writer's credit as it will be once all grants reached it */
  #allowed = INITIAL_WINDOW;
  /** Taken by the reader, not yet given back */
  #owed = 0;
  #probeStarted: number | undefined;
  #sample = 0;
  #sampleTaken = 0;
  #sinceProbe = 0;
  #lastCost = 0;
  #bestRate = 0;

  get window(): number {
    return this.#window;
  }

  /** Counts one arrived message. false: it was not allowed (WINDOW_EXCEEDED). */
  arrived(bytes: number): boolean {
    const cost = messageCost(bytes);
    if (cost > this.#allowed) return false;
    this.#allowed -= cost;
    this.#sinceProbe += cost;
    this.#lastCost = cost;
    if (this.#probeStarted !== undefined) this.#sample += cost;
    return true;
  }

  /** Asked after each arrival: true when a PROBE should be sent now. */
  shouldProbe(now: number): boolean {
    if (this.#probeStarted !== undefined || this.#window >= MAX_WINDOW) return false;
    // Sparse messages need no larger window; not asking keeps them from costing a frame each.
    if (this.#sinceProbe < this.#window / 8) return false;
    this.#probeStarted = now;
    // The message that set it off counts: few large ones would else never fill their window.
    this.#sample = this.#lastCost;
    this.#sampleTaken = 0;
    this.#sinceProbe = 0;
    return true;
  }

  /** The reader took a message: credit to give back now, 0 when it is not worth a frame yet. */
  taken(bytes: number): number {
    const cost = messageCost(bytes);
    this.#owed += cost;
    if (this.#probeStarted !== undefined) this.#sampleTaken += cost;
    if (this.#owed < this.#window / 4) return 0;
    return this.#give(this.#owed);
  }

  /** The PROBE's answer came: credit by which the window grew, or 0. */
  echoed(now: number): number {
    if (this.#probeStarted === undefined) return 0;
    const rate = this.#sample / Math.max(now - this.#probeStarted, 0.1);
    this.#probeStarted = undefined;
    // A window that the reader doesn't empty would only become a larger queue.
    const readerKeepsUp = this.#sampleTaken * 2 >= this.#sample;
    // A link at its limit gives the same rate again and again; what a larger window then adds is a queue.
    const faster = rate > this.#bestRate * 1.1;
    if (!readerKeepsUp || this.#sample * 3 < this.#window * 2 || !faster) return 0;
    this.#bestRate = rate;
    const grown = Math.min(MAX_WINDOW, Math.max(this.#window, this.#sample * 2));
    const credit = grown - this.#window;
    this.#window = grown;
    return credit === 0 ? 0 : this.#give(credit + this.#owed);
  }

  #give(credit: number): number {
    this.#owed = 0;
    this.#allowed += credit;
    return credit;
  }
}

/** The writer's side: what may still be sent. */
export class SendCredit {
  #left = INITIAL_WINDOW;

  get left(): number {
    return this.#left;
  }

  /** Takes the credit of one message if there is enough. */
  take(bytes: number): boolean {
    const cost = messageCost(bytes);
    if (cost > this.#left) return false;
    this.#left -= cost;
    return true;
  }

  /** false: more than any window allows; the other side is broken. */
  grant(credit: number): boolean {
    this.#left += credit;
    return this.#left <= MAX_WINDOW;
  }
}

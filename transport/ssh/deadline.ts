import { afterReading } from "../after-reading.js";
import { MopError } from "../errors.js";

/** A step may take so many times as long as the slowest before it: over a slow line all do. */
const SLOWER = 4;

/**
 * A limit on each step of a login: every step that is reached starts it again, the operator's thinking stops it. Where a
 * step showed how slow the line is, those behind it get longer.
 */
export class Deadline {
  readonly #ms: number;
  readonly #host: string;
  readonly #expire: (error: MopError) => void;
  #disarm = () => {};
  #step = "the connection";
  #asking = 0;
  /** When the step began; undefined when it says nothing of the line */
  #since: number | undefined;
  #slowest = 0;
  #over = false;

  /** @param ms per step, at least; 0 = no limit */
  constructor(host: string, ms: number, expire: (error: MopError) => void) {
    this.#host = host;
    this.#ms = ms;
    this.#expire = expire;
  }

  /** @param step what is waited for from now on, for the message: "the key exchange" */
  step(step: string): void {
    this.#measure();
    this.#step = step;
    this.#since = performance.now();
    this.#arm();
  }

  /** The limit doesn't run while `question` is open. */
  async paused<T>(question: () => Promise<T>): Promise<T> {
    this.#asking++;
    this.#since = undefined;
    this.#disarm();
    try {
      return await question();
    } finally {
      this.#asking--;
      this.#arm();
    }
  }

  end(): void {
    this.#over = true;
    this.#disarm();
  }

  #measure(): void {
    if (this.#since !== undefined) this.#slowest = Math.max(this.#slowest, performance.now() - this.#since);
  }

  #arm(): void {
    this.#disarm();
    if (this.#over || this.#asking > 0 || this.#ms <= 0) return;
    const limit = Math.max(this.#ms, SLOWER * this.#slowest);
    this.#disarm = afterReading(limit, () => {
      const seconds = `${Math.round(limit / 100) / 10} s`;
      const text = `${this.#host} didn't answer within ${seconds} (waiting for ${this.#step})`;
      this.#expire(new MopError("CONNECT_TIMEOUT", text));
    });
  }
}

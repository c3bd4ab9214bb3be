import { MopError } from "../errors.js";

/** A limit on each step of a login: every step that is reached starts it again, the operator's thinking stops it. */
export class Deadline {
  readonly #ms: number;
  readonly #host: string;
  readonly #expire: (error: MopError) => void;
  #timer: NodeJS.Timeout | undefined;
  #step = "the connection";
  #asking = 0;
  #over = false;

  /** @param ms per step; 0 = no limit */
  constructor(host: string, ms: number, expire: (error: MopError) => void) {
    this.#host = host;
    this.#ms = ms;
    this.#expire = expire;
  }

  /** @param step what is waited for from now on, for the message: "the key exchange" */
  step(step: string): void {
    this.#step = step;
    this.#arm();
  }

  /** The limit doesn't run while `question` is open. */
  async paused<T>(question: () => Promise<T>): Promise<T> {
    this.#asking++;
    clearTimeout(this.#timer);
    try {
      return await question();
    } finally {
      this.#asking--;
      this.#arm();
    }
  }

  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#over || this.#asking > 0 || this.#ms <= 0) return;
    this.#timer = setTimeout(() => {
      const seconds = `${this.#ms / 1000} s`;
      const text = `${this.#host} didn't answer within ${seconds} (waiting for ${this.#step})`;
      this.#expire(new MopError("CONNECT_TIMEOUT", text));
    }, this.#ms);
  }
}

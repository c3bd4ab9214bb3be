import { Duplex } from "node:stream";

/**
 * What ssh2 takes for its socket. It only collects what ssh2 writes: the writes of one turn of the event loop leave in
 * one piece, so that a pipelined login goes out in one flight. What the server sends reaches ssh2 by another way, packet
 * by packet (connection.ts). "started" is emitted when ssh2 has written our identification.
 */
export class PacketSocket extends Duplex {
  readonly #pipe: Duplex;
  #queue: Buffer[] = [];
  #scheduled = false;
  #detached = false;
  #started = false;

  constructor(pipe: Duplex) {
    super({ allowHalfOpen: true });
    this.#pipe = pipe;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (!this.#started) {
      this.#started = true;
      // Behind ssh2's own start, which is not over yet
      setImmediate(() => this.emit("started"));
    }
    if (!this.#detached) {
      this.#queue.push(chunk);
      if (!this.#scheduled) {
        this.#scheduled = true;
        setImmediate(() => this.flush());
      }
    }
    done();
  }

  override _final(done: () => void): void {
    this.flush();
    if (!this.#detached) this.#pipe.end();
    done();
  }

  /** Hands over to the pipe what was collected. */
  flush(): void {
    this.#scheduled = false;
    if (this.#queue.length === 0) return;
    const bytes = this.#queue.length === 1 ? this.#queue[0]! : Buffer.concat(this.#queue);
    this.#queue = [];
    if (!this.#pipe.destroyed && this.#pipe.writable) this.#pipe.write(bytes);
  }

  /** Flushes, and lets nothing through from then on. */
  detach(): void {
    this.flush();
    this.#detached = true;
  }

  /** Resolves when the pipe takes more without piling it up. */
  drained(): Promise<void> {
    const pipe = this.#pipe;
    if (!pipe.writableNeedDrain || pipe.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        pipe.removeListener("drain", done).removeListener("close", done);
        resolve();
      };
      pipe.on("drain", done).on("close", done);
    });
  }
}

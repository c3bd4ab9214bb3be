import { Duplex } from "node:stream";
import { MopError } from "../errors.js";
import type { ClientChannel } from "./internals.js";

type Done = (error?: Error | null) => void;

const closedError = () => new MopError("CHANNEL_CLOSED", "the other side closed the channel");

/**
 * An SSH channel as a byte pipe of ours: a write is done when the window and the connection below took it, a reader
 * that stalls stops the channel's window, both directions end by themselves. A command's "exit" is emitted again.
 */
export class ChannelPipe extends Duplex {
  /** As a socket counts them */
  bytesRead = 0;
  bytesWritten = 0;
  readonly #drained: () => Promise<void>;
  #channel: ClientChannel | undefined;
  #pending: Done | undefined;
  #readEnded = false;

  /** @param drained resolves when the connection takes more without piling it up */
  constructor(channel: ClientChannel, drained: () => Promise<void>) {
    super({ allowHalfOpen: true });
    this.#channel = channel;
    this.#drained = drained;
    channel
      .on("data", (chunk: Buffer) => {
        this.bytesRead += chunk.length;
        if (!this.push(chunk)) channel.pause();
      })
      .on("end", () => this.#endRead())
      .on("exit", (...status: unknown[]) => this.emit("exit", ...status))
      .on("close", () => this.#closed())
      .on("error", (error: Error) => this.destroy(error));
  }

  /** A channel that is closed takes nothing more, and ssh2 would never say so. */
  #closed(): void {
    this.#channel = undefined;
    this.#endRead();
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.(closedError());
    if (!this.writableEnded) this.end();
  }

  /** The session is gone: the reader learns why, unless it has something to read or has come to the end before. */
  lost(error: Error): void {
    if (!this.#readEnded && this.readableLength === 0 && !this.#channel?.readableLength) this.destroy(error);
  }

  #endRead(): void {
    if (this.#readEnded || this.destroyed) return;
    this.#readEnded = true;
    this.push(null);
  }

  override _read(): void {
    this.#channel?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (!this.#channel) {
      done(closedError());
      return;
    }
    this.bytesWritten += chunk.length;
    this.#pending = done;
    this.#channel.write(chunk, (error?: Error | null) => {
      if (this.#pending !== done) return;
      this.#pending = undefined;
      if (error) done(error);
      else void this.#drained().then(() => done());
    });
  }

  override _final(done: () => void): void {
    this.#channel?.end();
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#channel?.close();
    this.#channel = undefined;
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.(error ?? closedError());
    done(error);
  }
}

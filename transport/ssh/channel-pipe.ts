import { Duplex } from "node:stream";
import { MopError } from "../errors.js";
import type { ClientChannel } from "./internals.js";

const closedError = () => new MopError("CHANNEL_CLOSED", "the other side closed the channel");

/**
 * A channel as a byte pipe of ours: a write is done when the window and the connection below took it, a reader that
 * stalls stops the channel's window, both directions end by themselves. The channel may be put under it later, and be
 * replaced until `settle` (a pipelined login may have to be done again): what was written until then is kept and sent
 * once more.
 */
export class ChannelPipe extends Duplex {
  readonly #drained: () => Promise<void>;
  #channel: ClientChannel | undefined;
  #pending: { readonly chunk: Buffer; readonly done: (error?: Error | null) => void } | undefined;
  #ended = false;
  #kept: Buffer[] | undefined = [];
  #closed = false;
  #readEnded = false;

  /** @param drained resolves when the connection takes more without piling it up */
  constructor(drained: () => Promise<void>) {
    super({ allowHalfOpen: true });
    this.#drained = drained;
  }

  /** Puts a channel under the pipe, with everything that was written so far. */
  attach(channel: ClientChannel): void {
    this.#channel = channel;
    const current = () => this.#channel === channel;
    channel.on("data", (chunk: Buffer) => {
      if (current() && !this.push(chunk)) channel.pause();
    });
    channel.on("end", () => {
      if (current() && !this.#readEnded) this.#endRead();
    });
    channel.on("exit", (...status: unknown[]) => {
      if (current()) this.emit("exit", ...status);
    });
    channel.on("close", () => {
      if (current()) this.#closedByPeer();
    });
    channel.on("error", (error: Error) => {
      if (current()) this.destroy(error);
    });
    const kept = this.#kept ?? [];
    const pending = this.#pending;
    for (const chunk of kept) if (chunk !== pending?.chunk) channel.write(chunk);
    if (pending) this.#send(channel, pending.chunk, pending.done);
    if (this.#ended) channel.end();
  }

  /** A channel that is closed takes nothing more, and ssh2 would never say so. */
  #closedByPeer(): void {
    this.#channel = undefined;
    this.#closed = true;
    if (!this.#readEnded) this.#endRead();
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.done(closedError());
    if (!this.writableEnded) this.end();
  }

  #endRead(): void {
    this.#readEnded = true;
    this.push(null);
  }

  /** Takes the channel away again: nothing that it still says reaches the reader. */
  detach(): void {
    this.#channel = undefined;
  }

  /** The channel is there to stay; what was kept is let go. */
  settle(): void {
    this.#kept = undefined;
  }

  override _read(): void {
    this.#channel?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#closed) {
      done(closedError());
      return;
    }
    this.#kept?.push(chunk);
    if (this.#channel) this.#send(this.#channel, chunk, done);
    else this.#pending = { chunk, done };
  }

  #send(channel: ClientChannel, chunk: Buffer, done: (error?: Error | null) => void): void {
    const pending = { chunk, done };
    this.#pending = pending;
    channel.write(chunk, (error?: Error | null) => {
      // A channel that was replaced meanwhile doesn't count
      if (this.#pending !== pending) return;
      this.#pending = undefined;
      if (error) done(error);
      else void this.#drained().then(() => done());
    });
  }

  override _final(done: () => void): void {
    this.#ended = true;
    this.#channel?.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#channel?.close();
    this.#channel = undefined;
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.done(error ?? closedError());
    done(error);
  }
}

import { Duplex } from "node:stream";
import { asMopError, MopError } from "./errors.js";
import type { Channel } from "./types.js";

/** Piece size of what is written; smaller than MAX_MESSAGE so that other channels get their turn. */
const PIECE_BYTES = 32 * 1024;

export interface ChannelPipeOptions {
  /** Gets the control messages; without it they are passed over. */
  readonly onControl?: (body: Uint8Array) => void;
}

/**
 * A channel as a raw byte stream over its data messages, with backpressure both ways: what is not read gives no
 * credit back, `write` waits for credit. Destroying it resets the channel.
 */
export function channelPipe(channel: Channel, options: ChannelPipeOptions = {}): Duplex {
  const items = channel.receive()[Symbol.asyncIterator]();
  let reading = false;
  let over = false;
  const pull = async (pipe: Duplex): Promise<void> => {
    if (reading) return;
    reading = true;
    try {
      for (;;) {
        const { done, value } = await items.next();
        if (pipe.destroyed) return;
        if (done) {
          pipe.push(null);
          return;
        }
        if (value.type === "control") options.onControl?.(value.body);
        // An empty chunk would not count as data, and the stream not ask again.
        else if (value.body.length > 0 && !pipe.push(value.body)) return;
      }
    } catch (error) {
      pipe.destroy(asMopError(error));
    } finally {
      reading = false;
    }
  };

  const pipe = new Duplex({
    allowHalfOpen: true,
    read() {
      void pull(this);
    },
    write(chunk: Buffer, _encoding, done) {
      const pieces: Promise<void>[] = [];
      for (let at = 0; at < chunk.length; at += PIECE_BYTES)
        pieces.push(channel.write(chunk.subarray(at, at + PIECE_BYTES)));
      Promise.all(pieces).then(() => done(), done);
    },
    final(done) {
      channel.end();
      done();
    },
    destroy(error, done) {
      if (!over)
        channel.reset(
          error instanceof MopError ? error.code : "CANCELLED",
          error?.message ?? "The pipe was closed",
        );
      done(error);
    },
  });
  void channel.closed.then((error) => {
    over = true;
    // With unread data the reader comes to the error by itself.
    if (error && pipe.readableLength === 0 && !reading) pipe.destroy(error);
  });
  return pipe;
}

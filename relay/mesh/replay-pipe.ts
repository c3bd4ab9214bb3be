import { Duplex } from "node:stream";

/** Most bytes that are sent on trust; what is written past them waits for the first answer. */
const ON_TRUST_MAX = 4 << 20;

/**
 * A pipe whose far end may have to be dialled again: what is written is kept until the first answer came, and goes
 * down the next pipe once more when there was none. So frames can follow a login that is not answered yet.
 */
export interface ReplayPipe {
  readonly pipe: Duplex;
  /** Carries on over `inner`: sends what was written so far; its answers become ours. */
  use(inner: Duplex): void;
  /** No pipe will come any more. */
  fail(error: Error): void;
}

export function createReplayPipe(): ReplayPipe {
  let sent: Buffer[] = [];
  let bytes = 0;
  let trusted = false;
  let inner: Duplex | undefined;
  let held: { chunk: Buffer; done: () => void } | undefined;

  const pass = (chunk: Buffer, done: () => void) => {
    if (trusted) {
      inner!.write(chunk, () => done());
    } else if (bytes + chunk.length > ON_TRUST_MAX) {
      held = { chunk, done };
    } else {
      sent.push(chunk);
      bytes += chunk.length;
      inner?.write(chunk);
      done();
    }
  };
  const pipe = new Duplex({
    highWaterMark: 1 << 16,
    read() {
      inner?.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      pass(chunk, done);
    },
    writev(chunks, done) {
      pass(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), done);
    },
    final(done) {
      inner?.end();
      done();
    },
    destroy(error, done) {
      sent = [];
      held = undefined;
      inner?.destroy();
      done(error);
    },
  });

  function answered(): void {
    trusted = true;
    sent = [];
    const { chunk, done } = held ?? {};
    held = undefined;
    if (chunk && done) pass(chunk, done);
  }

  return {
    pipe,
    use(next) {
      inner = next;
      for (const chunk of sent) next.write(chunk);
      next.on("data", (chunk: Buffer) => {
        if (!trusted) answered();
        if (!pipe.push(chunk)) next.pause();
      });
      next.on("end", () => {
        if (trusted) pipe.push(null);
      });
      next.on("error", (error) => {
        if (trusted) pipe.destroy(error);
      });
      next.on("close", () => {
        if (trusted && !next.readableEnded) pipe.destroy();
      });
      if (pipe.destroyed) next.destroy();
      else if (pipe.writableEnded) next.end();
    },
    fail(error) {
      pipe.destroy(error);
    },
  };
}

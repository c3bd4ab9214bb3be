import { Duplex, type Readable, type Writable } from "node:stream";

/**
 * A process's two streams as one pipe. That the other side reads no more is no reason to lose what it still says: a
 * failed write shows when reading ends.
 */
export function joinStdio(readable: Readable, writable: Writable): Duplex {
  let broken: Error | undefined;
  const pipe = new Duplex({
    highWaterMark: 1 << 16,
    read() {
      readable.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      if (broken) done();
      else writable.write(chunk, () => done());
    },
    writev(chunks, done) {
      if (broken) done();
      else writable.write(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), () => done());
    },
    final(done) {
      writable.end();
      done();
    },
    destroy(error, done) {
      readable.destroy();
      writable.destroy();
      done(error);
    },
  });
  writable.on("error", (error) => {
    broken ??= error;
  });
  readable.on("data", (chunk: Buffer) => {
    if (!pipe.push(chunk)) readable.pause();
  });
  readable.on("end", () => pipe.push(null));
  readable.on("error", (error) => pipe.destroy(error));
  readable.on("close", () => {
    if (!readable.readableEnded) pipe.destroy();
  });
  return pipe;
}

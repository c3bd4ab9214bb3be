import { Duplex } from "node:stream";

/**
 * Two joined ends of an in-memory byte pipe with backpressure: a write is done when the other side has taken it.
 * `pieceBytes` tears what is written into pieces, to feed parsers in odd portions.
 */
export function memoryPipe(pieceBytes = Number.POSITIVE_INFINITY): [Duplex, Duplex] {
  const ends: Duplex[] = [];
  const wanted: ((() => void) | undefined)[] = [];
  const make = (self: 0 | 1): Duplex => {
    const other = self === 0 ? 1 : 0;
    return new Duplex({
      read() {
        const resume = wanted[self];
        wanted[self] = undefined;
        resume?.();
      },
      write(chunk: Buffer, _encoding, done) {
        let more = true;
        for (let at = 0; at < chunk.length; at += pieceBytes)
          more = ends[other]!.push(Buffer.from(chunk.subarray(at, at + pieceBytes)));
        if (more) setImmediate(done);
        else wanted[other] = done;
      },
      final(done) {
        ends[other]!.push(null);
        done();
      },
      destroy(error, done) {
        const peer = ends[other]!;
        if (!peer.readableEnded && !peer.destroyed) setImmediate(() => peer.push(null));
        const held = wanted[other];
        wanted[other] = undefined;
        held?.();
        done(error);
      },
    });
  };
  ends.push(make(0), make(1));
  return [ends[0]!, ends[1]!];
}

/** Bytes of foreign output that are skipped before the marker. */
export const NOISE_MAX = 64 * 1024;
/** Bytes of it, and of stderr, that are kept for messages. */
const KEEP = 2048;

/** Takes a stream apart: what a host prints before the marker, and what comes behind it. */
export interface MarkerScan {
  /** The bytes behind the marker, undefined while it hasn't come. Throws nothing; see `overrun`. */
  take(chunk: Buffer): Buffer | undefined;
  readonly found: boolean;
  /** More than NOISE_MAX came without a marker. */
  readonly overrun: boolean;
  /** The first of what came before it */
  readonly noise: Buffer;
}

export function createMarkerScan(marker: string): MarkerScan {
  const wanted = Buffer.from(marker, "latin1");
  let tail: Buffer = Buffer.alloc(0);
  let noise: Buffer = Buffer.alloc(0);
  let skipped = 0;
  let found = false;
  const skip = (bytes: Buffer) => {
    skipped += bytes.length;
    if (noise.length < KEEP) noise = Buffer.concat([noise, bytes.subarray(0, KEEP - noise.length)]);
  };
  return {
    get found() {
      return found;
    },
    get overrun() {
      return !found && skipped > NOISE_MAX;
    },
    get noise() {
      return found ? noise : Buffer.concat([noise, tail]).subarray(0, KEEP);
    },
    take(chunk) {
      if (found) return chunk;
      const all = tail.length > 0 ? Buffer.concat([tail, chunk]) : chunk;
      const at = all.indexOf(wanted);
      if (at >= 0) {
        found = true;
        skip(all.subarray(0, at));
        tail = Buffer.alloc(0);
        return all.subarray(at + wanted.length);
      }
      // The marker may be torn between two chunks
      const keep = Math.min(all.length, wanted.length - 1);
      skip(all.subarray(0, all.length - keep));
      tail = Buffer.from(all.subarray(all.length - keep));
      return undefined;
    },
  };
}

/** The last words of a stream, bounded. */
export interface Tail {
  add(chunk: Uint8Array): void;
  readonly text: string;
}

export function createTail(max = KEEP): Tail {
  let kept: Buffer = Buffer.alloc(0);
  return {
    add(chunk) {
      kept = Buffer.concat([kept, chunk]);
      if (kept.length > max) kept = Buffer.from(kept.subarray(kept.length - max));
    },
    get text() {
      return kept.toString("utf8");
    },
  };
}

/**
 * A host's words for use in one of our sentences: one line, quoted, nothing that a terminal acts on (C0, C1, bidi and
 * other format characters).
 */
export function quote(text: string, max = 300): string {
  const line = text
    .trim()
    .replace(/\s*[\r\n]+\s*/g, " / ")
    .replace(
      /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\u2028\u2029]/gu,
      (c) => `\\x${c.codePointAt(0)!.toString(16).padStart(2, "0")}`,
    );
  return `"${line.length > max ? `${line.slice(0, max)}...` : line}"`;
}

import { MopError } from "../errors.js";
import { HEADER_BYTES, MAX_ITEM } from "./constants.js";

/** Additional information 24..27: the length follows in 1, 2, 4 or 8 bytes (RFC 8949, 3). */
const LENGTH_BYTES = [1, 2, 4, 8] as const;

/** The head of a definite-length byte string, shortest form. */
export function byteStringHead(length: number): Buffer {
  if (length < 24) return Buffer.of(0x40 | length);
  if (length < 0x100) return Buffer.of(0x58, length);
  if (length < 0x10000) return Buffer.of(0x59, length >>> 8, length & 0xff);
  return Buffer.of(0x5a, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff);
}

/** Pieces of an unfinished item past which they are joined: a peer that sends byte by byte must not cost a hundred each. */
const MAX_PARTS = 64;

/**
 * Splits a CBOR Sequence (RFC 8742) of byte strings, fed in any pieces. Keeps at most one unfinished item; a claimed
 * length is checked before anything is kept for it. Throws MopError (PROTOCOL, FRAME_TOO_LARGE); not usable after.
 */
export class SequenceSplitter {
  /** Bytes of the length still to come, -1 while the initial byte is awaited */
  #lengthBytes = -1;
  #length = 0;
  #inBody = false;
  #parts: Uint8Array[] = [];
  #have = 0;

  /** Items that `chunk` completes. They share its memory where they fill much of it, lest a small one keep all of it. */
  push(chunk: Uint8Array): Uint8Array[] {
    const items: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (!this.#inBody) {
        this.#head(chunk[at++]!);
        continue;
      }
      const end = Math.min(chunk.length, at + this.#length - this.#have);
      const part = chunk.subarray(at, end);
      this.#have += part.length;
      at = end;
      if (this.#have < this.#length) {
        this.#parts.push(part);
        if (this.#parts.length > MAX_PARTS) this.#parts = [Buffer.concat(this.#parts)];
        continue;
      }
      items.push(this.#parts.length === 0 ? kept(part) : Buffer.concat([...this.#parts, part], this.#length));
      this.#parts = [];
      this.#have = 0;
      this.#inBody = false;
      this.#lengthBytes = -1;
    }
    return items;
  }

  /** True in the middle of an item: the stream must not end here. */
  get partial(): boolean {
    return this.#inBody || this.#lengthBytes >= 0;
  }

  #head(byte: number): void {
    if (this.#lengthBytes < 0) {
      const info = byte & 0x1f;
      if (byte >> 5 !== 2 || info > 27)
        throw new MopError("PROTOCOL", `Not a frame: byte 0x${byte.toString(16)} begins no byte string`);
      this.#length = info < 24 ? info : 0;
      this.#lengthBytes = info < 24 ? 0 : LENGTH_BYTES[info - 24]!;
    } else {
      // Fails before the number leaves the exact range, however many bytes it has.
      this.#length = this.#length * 256 + byte;
      this.#lengthBytes--;
    }
    if (this.#length > MAX_ITEM)
      throw new MopError("FRAME_TOO_LARGE", `A frame claims more than ${MAX_ITEM} bytes`);
    if (this.#lengthBytes > 0) return;
    if (this.#length < HEADER_BYTES)
      throw new MopError("PROTOCOL", `A frame of ${this.#length} bytes is shorter than its header`);
    this.#inBody = true;
  }
}

/** `part`, or a copy where it would hold on to memory that is much larger. */
const kept = (part: Uint8Array): Uint8Array =>
  part.length * 4 < part.buffer.byteLength ? Uint8Array.prototype.slice.call(part) : part;

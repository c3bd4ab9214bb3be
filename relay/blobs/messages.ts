import { ErrorCode, errorName, MopError } from "../../transport/errors.js";
import type { NodeId, Value } from "../../transport/types.js";
import { MAX_BLOB, type OfferSet } from "./types.js";

/** Bytes of a hash; in a set's definition its size follows as u32, big-endian. */
const HASH = 32;
const ENTRY = HASH + 4;
/** Hashes of one WANT or LACK at most. */
export const BATCH = 4096;

const malformed = () => new MopError("PROTOCOL", "A message about blobs is malformed");

/** The last field of a message, a byte string of whole entries: one hash each, and a size where `entry` has room. */
function entriesOf(body: Value, length: number, entry: number): [string, number][] {
  const bytes: Value | undefined = Array.isArray(body) && body.length === length ? body[length - 1] : null;
  if (!(bytes instanceof Uint8Array) || bytes.length % entry !== 0) throw malformed();
  const entries: [string, number][] = [];
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += entry)
    entries.push([view.toString("hex", at, at + HASH), entry > HASH ? view.readUInt32BE(at + HASH) : 0]);
  return entries;
}

const hashesOf = (body: Value, length: number): string[] =>
  entriesOf(body, length, HASH).map(([hash]) => hash);

export const hashBytes = (hashes: readonly string[]): Buffer => Buffer.from(hashes.join(""), "hex");

export interface Offer {
  readonly id: number;
  readonly push: boolean;
  /** Nodes that may ask */
  readonly to: readonly NodeId[];
  /** The set's definition; empty where it crossed this link before */
  readonly blobs: OfferSet["blobs"];
}

export function encodeOffer({ id, push, to, blobs }: Offer): Value {
  const bytes = Buffer.alloc(blobs.size * ENTRY);
  let at = 0;
  for (const [hash, size] of blobs) {
    bytes.write(hash, at, "hex");
    at = bytes.writeUInt32BE(size, at + HASH);
  }
  return [id, push, to, bytes];
}

/** Throws MopError (PROTOCOL, BLOB_TOO_LARGE). */
export function decodeOffer(body: Value): Offer {
  const blobs = new Map(entriesOf(body, 4, ENTRY));
  for (const size of blobs.values())
    if (size > MAX_BLOB) throw new MopError("BLOB_TOO_LARGE", `A blob has at most ${MAX_BLOB} bytes`);
  const [id, push, to] = body as [number, boolean, NodeId[]];
  if (!Array.isArray(to)) throw malformed();
  return { id, push, to, blobs };
}

/** A child asks; `received`: blobs that had ended on its link by then. */
export interface Want {
  readonly received: number;
  readonly hashes: readonly string[];
}

export const encodeWant = ({ received, hashes }: Want): Value => [received, hashBytes(hashes)];

export function decodeWant(body: Value): Want {
  const hashes = hashesOf(body, 2);
  const [received] = body as [Value];
  return { received: Number(received), hashes };
}

/** A parent can't or won't send these. */
export interface Lack {
  readonly error: MopError;
  readonly hashes: readonly string[];
}

export const encodeLack = ({ error, hashes }: Lack): Value => [
  ErrorCode[error.code],
  error.message.slice(0, 500),
  hashBytes(hashes),
];

export function decodeLack(body: Value): Lack {
  const hashes = hashesOf(body, 3);
  const [code, message] = body as [Value, Value];
  return { error: new MopError(errorName(Number(code)), String(message)), hashes };
}

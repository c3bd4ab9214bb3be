import { createHash } from "node:crypto";
import { brotliDecompressSync } from "node:zlib";
import { MopError } from "../../transport/errors.js";
import type { Channel } from "../../transport/types.js";
import { MAX_MESSAGE } from "../../transport/wire/constants.js";
import type { Received } from "./types.js";

const corrupt = () => new MopError("BLOB_CORRUPT", "its content does not match its hash");

/** Undefined when what travelled is, unpacked, what the hash names. */
export function mismatch(hash: string, wire: Uint8Array, size: number): MopError | undefined {
  try {
    return createHash("sha256").update(unpack(wire, size)).digest("hex") === hash ? undefined : corrupt();
  } catch {
    return corrupt();
  }
}

/** A blob's content from what travelled: Brotli where that is shorter than `size`, else the content itself. */
export function unpack(wire: Uint8Array, size: number): Uint8Array {
  return wire.length < size ? brotliDecompressSync(wire, { maxOutputLength: size }) : wire;
}

/** Bytes of a blob's announcement: its hash and, as u32, how many bytes follow. */
const HEAD = 36;

/** One blob down a channel: `control` with its announcement, then its bytes. Rejects with MopError when the channel ends. */
export async function sendBlob(channel: Channel, hash: string, wire: Uint8Array): Promise<void> {
  const head = Buffer.alloc(HEAD);
  head.write(hash, "hex");
  head.writeUInt32BE(wire.length, HEAD - 4);
  let last = channel.control(head);
  for (let at = 0; at < wire.length; at += MAX_MESSAGE) {
    // One message waits for the link while the next is made ready.
    const next = channel.write(wire.subarray(at, at + MAX_MESSAGE));
    next.catch(() => {});
    await last;
    last = next;
  }
  await last;
}

/**
 * Takes blobs from a channel one after the other until it ends, then throws its MopError. `sizeOf`: what was offered;
 * nothing else is taken. What is not what its hash names is corrupt, and does not hurt those behind it.
 */
export async function receiveBlobs(
  channel: Channel,
  sizeOf: (hash: string) => number | undefined,
  received: (hash: string, what: Received) => void,
): Promise<never> {
  let blob: { hash: string; size: number; left: number; wire: Uint8Array; at: number } | undefined;
  const finish = () => {
    if (!blob) return;
    const { hash, size, left, wire } = blob;
    blob = undefined;
    received(hash, (left === 0 ? mismatch(hash, wire, size) : corrupt()) ?? wire);
  };
  for await (const { type, body } of channel.receive()) {
    if (type === "control") {
      finish();
      if (body.length !== HEAD) throw new MopError("PROTOCOL", "The announcement of a blob is malformed");
      const head = Buffer.from(body.buffer, body.byteOffset, HEAD);
      const hash = head.toString("hex", 0, HEAD - 4);
      const left = head.readUInt32BE(HEAD - 4);
      const size = sizeOf(hash);
      if (size === undefined) throw new MopError("BLOB_NOT_OFFERED", "A blob came that was never offered");
      blob = { hash, size, left, wire: new Uint8Array(Math.min(left, size)), at: 0 };
    } else if (blob) {
      blob.wire.set(body.subarray(0, blob.wire.length - blob.at), blob.at);
      blob.at = Math.min(blob.at + body.length, blob.wire.length);
      blob.left = Math.max(0, blob.left - body.length);
    }
    if (blob?.left === 0) finish();
  }
  throw new MopError("CHANNEL_CLOSED", "The parent sends no more blobs");
}

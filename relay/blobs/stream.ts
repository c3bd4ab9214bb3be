import { createHash } from "node:crypto";
import { MopError } from "../../transport/errors.js";
import type { Channel } from "../../transport/types.js";
import { MAX_MESSAGE } from "../../transport/wire/constants.js";
import { hashBytes } from "./messages.js";
import type { Received } from "./types.js";

/** Undefined when the bytes are what the hash names. */
export function mismatch(hash: string, bytes: Uint8Array): MopError | undefined {
  return createHash("sha256").update(bytes).digest("hex") === hash
    ? undefined
    : new MopError("BLOB_CORRUPT", "its content does not match its hash");
}

/** One blob down a channel: `control` with its hash, then its bytes. Rejects with MopError when the channel ends. */
export async function sendBlob(channel: Channel, hash: string, bytes: Uint8Array): Promise<void> {
  let last = channel.control(hashBytes([hash]));
  for (let at = 0; at < bytes.length; at += MAX_MESSAGE) {
    // One message waits for the link while the next is made ready.
    const next = channel.write(bytes.subarray(at, at + MAX_MESSAGE));
    next.catch(() => {});
    await last;
    last = next;
  }
  await last;
}

/**
 * Takes blobs from a channel one after the other until it ends, then throws its MopError. `sizeOf`: what was offered;
 * nothing else is taken. What is longer or shorter than offered is corrupt, and does not hurt those behind it.
 */
export async function receiveBlobs(
  channel: Channel,
  sizeOf: (hash: string) => number | undefined,
  received: (hash: string, what: Received) => void,
): Promise<never> {
  let blob: { hash: string; bytes: Uint8Array; at: number } | undefined;
  const finish = () => {
    if (!blob) return;
    const { hash, bytes } = blob;
    blob = undefined;
    received(hash, mismatch(hash, bytes) ?? bytes);
  };
  for await (const { type, body } of channel.receive()) {
    if (type === "control") {
      finish();
      const hash = Buffer.from(body).toString("hex");
      const size = sizeOf(hash);
      if (size === undefined) throw new MopError("BLOB_NOT_OFFERED", "A blob came that was never offered");
      blob = { hash, bytes: new Uint8Array(size), at: 0 };
    } else if (blob) {
      blob.bytes.set(body.subarray(0, blob.bytes.length - blob.at), blob.at);
      blob.at += body.length;
    }
    if (blob && blob.at >= blob.bytes.length) finish();
  }
  throw new MopError("CHANNEL_CLOSED", "The parent sends no more blobs");
}

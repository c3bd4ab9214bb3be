import { createHash } from "node:crypto";
import type { BlobSource } from "../../../relay/mesh/types.js";

export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Bytes that are in memory already, served by their hash. */
export function memoryBlob(content: Uint8Array | string): BlobSource & { readonly bytes: Uint8Array } {
  const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
  return { hash: sha256(bytes), size: bytes.byteLength, bytes, read: async () => bytes };
}

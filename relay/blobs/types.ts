/** Content-addressed bytes as a node gets at them. Made by `createBlobs` (blobs.ts), one a node. */
export interface Blobs {
  /**
   * The bytes of a blob (SHA-256, hex) that was offered to this node: verified, not to be written to. Rejects with
   * MopError: BLOB_NOT_OFFERED, BLOB_UNAVAILABLE, BLOB_CORRUPT, LINK_LOST.
   */
  get(hash: string): Promise<Uint8Array>;
  /** Asks for blobs in one batch ahead of their use; resolves when each is here or can't be had. Never rejects. */
  prefetch(hashes: readonly string[]): Promise<void>;
}

import type { MopError } from "../../transport/errors.js";
import type { NodeId } from "../../transport/types.js";

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

/** Largest blob; larger things travel in pieces, each a blob. */
export const MAX_BLOB = 32 * 1024 * 1024;
/** Most blobs of one set: its definition fits a frame. */
export const MAX_SET = 5000;

/** Blobs that are offered together. Its definition crosses each link once, afterwards its number stands for it. */
export interface OfferSet {
  /** Given by the controller */
  readonly id: number;
  /** Hash (hex) to size in bytes */
  readonly blobs: ReadonlyMap<string, number>;
}

/** A node's blobs, and what only the controller does with them. */
export interface NodeBlobs extends Blobs {
  /** Lets these nodes below ask for a set; with `push` it is sent ahead to them, too. */
  spread(set: OfferSet, to: readonly NodeId[], push: boolean): void;
  /** Bytes held in memory. */
  readonly stored: number;
}

export interface BlobsOptions {
  /** Bytes that may be held in memory; at least MAX_BLOB */
  readonly capacity: number;
  /** Controller only: gives what it offers as it travels, verified; undefined for what it doesn't offer. */
  readonly source?: (hash: string) => (() => Promise<Uint8Array>) | undefined;
}

/** Of a blob that came: what travelled, once verified, or why it is refused. */
export type Received = Uint8Array | MopError;

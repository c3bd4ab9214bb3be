import os from "node:os";
import type { Endpoint } from "../../transport/types.js";
import { createBlobs } from "../blobs/blobs.js";
import { MAX_BLOB, type NodeBlobs } from "../blobs/types.js";

/** Most bytes of blobs that a node keeps, and the part of the host's memory that they may take. */
const KEPT_BYTES = 256 * 1024 * 1024;
const KEPT_PART = 1 / 8;

/** The blobs of this node: kept in memory, never on disk. */
export function serveBlobs(endpoint: Endpoint): NodeBlobs {
  return createBlobs(endpoint, {
    capacity: Math.max(MAX_BLOB, Math.min(KEPT_BYTES, os.totalmem() * KEPT_PART)),
  });
}

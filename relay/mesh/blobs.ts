import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { MopError } from "../../transport/errors.js";
import type { Endpoint } from "../../transport/types.js";
import { createBlobs } from "../blobs/blobs.js";
import { mismatch } from "../blobs/stream.js";
import { MAX_BLOB, MAX_SET, type OfferSet } from "../blobs/types.js";
import type { Place } from "./place.js";
import type { BlobSource } from "./types.js";

/** What the controller keeps of what it read, so that several direct children cost one read. */
const KEPT_BYTES = 2 * MAX_BLOB;

const compress = promisify(brotliCompress);
/** Up to this many bytes the best compression is worth its time; above it a fast one. */
const SMALL = 128 * 1024;
/** What saves less than this part is not worth unpacking. */
const WORTHWHILE = 0.95;

/** A blob as it travels (relay/blobs/stream.ts): in Brotli where that is shorter. Rejects with MopError. */
async function packed(source: BlobSource): Promise<Uint8Array> {
  if (source.packed) return source.packed;
  const { hash, size } = source;
  const content = await source.read();
  const wrong = mismatch(hash, content, content.length);
  if (wrong) throw wrong;
  if (size === 0) return content;
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: size <= SMALL ? 11 : 5,
    [constants.BROTLI_PARAM_SIZE_HINT]: size,
  };
  const short = await compress(content, { params });
  return short.length < size * WORTHWHILE ? short : content;
}

export interface MeshBlobs {
  offer(blobs: readonly BlobSource[], to: readonly Place[]): void;
  push(hashes: readonly string[], to: readonly Place[]): void;
}

/** The controller's end: what it offered to whom. Nothing is read before a direct child is to be sent it. */
export function createMeshBlobs(endpoint: Endpoint): MeshBlobs {
  const sources = new Map<string, BlobSource>();
  /** By what is in them: offered again, a set costs its number only */
  const sets = new Map<string, OfferSet>();
  const { spread } = createBlobs(endpoint, {
    capacity: KEPT_BYTES,
    source(hash) {
      const source = sources.get(hash);
      return source && (() => packed(source));
    },
  });

  function setOf(blobs: readonly BlobSource[]): OfferSet {
    const sizes = new Map(blobs.map(({ hash, size }) => [hash, size]));
    const key = createHash("sha256")
      .update([...sizes.keys()].sort().join())
      .digest("hex");
    const set = sets.get(key) ?? { id: sets.size + 1, blobs: sizes };
    sets.set(key, set);
    return set;
  }

  function send(blobs: readonly BlobSource[], to: readonly Place[], push: boolean): void {
    const ready = to.filter((place) => place.isUp && !place.isGone).map(({ id }) => id);
    for (let at = 0; at < blobs.length; at += MAX_SET) {
      const set = setOf(blobs.slice(at, at + MAX_SET));
      spread(set, ready, push);
      for (const place of to)
        if (!place.isUp)
          // A place that can't be reached needs no blobs; why stands in the place.
          place.dispatched.promise.then(
            () => spread(set, [place.id], push),
            () => {},
          );
    }
  }

  return {
    offer(blobs, to) {
      for (const blob of blobs) {
        if (blob.size > MAX_BLOB)
          throw new MopError(
            "BLOB_TOO_LARGE",
            `blob ${blob.hash.slice(0, 12)} has ${blob.size} bytes, at most ${MAX_BLOB} can be offered in one piece`,
          );
        sources.set(blob.hash, blob);
      }
      send(blobs, to, false);
    },
    push(hashes, to) {
      const blobs = hashes.map((hash) => {
        const source = sources.get(hash);
        if (!source)
          throw new MopError("BAD_ARGUMENT", `blob ${hash.slice(0, 12)} was pushed but never offered`);
        return source;
      });
      send(blobs, to, true);
    },
  };
}

import type { MeshBlobs } from "./blobs.js";
import { partBundle } from "./bundles.js";
import type { Place } from "./place.js";
import type { BlobSource } from "./types.js";

/** The part that runs wings: to the nodes that will, with the first blobs that are pushed to them. */
export interface Runners {
  /** Pushes blobs to nodes, and the part to those that don't have it. */
  push(hashes: readonly string[], to: readonly Place[]): void;
  /** The part's hash; it is there or on its way. */
  bring(place: Place): string;
}

export function createRunners(blobs: MeshBlobs): Runners {
  const brought = new WeakSet<Place>();
  let made: BlobSource | undefined;
  const part = (): string => {
    if (!made) {
      made = partBundle("runner");
      blobs.offer([made], []);
    }
    return made.hash;
  };
  const push = (hashes: readonly string[], to: readonly Place[]): void => {
    const first = to.filter((place) => !brought.has(place));
    const rest = to.filter((place) => brought.has(place));
    for (const place of first) brought.add(place);
    if (first.length > 0) blobs.push([part(), ...hashes], first);
    if (rest.length > 0) blobs.push(hashes, rest);
  };
  return {
    push,
    bring(place) {
      if (!brought.has(place)) push([], [place]);
      return part();
    },
  };
}

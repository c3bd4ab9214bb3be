import type { Blobs } from "../blobs/types.js";
import * as shared from "./shared.js";

/** Loads a part of the relay program, by the hash that the controller named. Rejects with what kept the blob away. */
export type LoadPart = <T>(hash: string) => Promise<T>;

/** Each part is loaded once. */
export function createParts(blobs: Pick<Blobs, "get">): LoadPart {
  const loaded = new Map<string, unknown>();
  const find = (name: string) => (name === "mop-core" ? shared : require(name));
  return async <T>(hash: string) => {
    if (!loaded.has(hash)) {
      const source = await blobs.get(hash);
      const module = { exports: {} };
      // Another start may have waited for the same
      if (!loaded.has(hash)) {
        new Function("module", "require", `${Buffer.from(source)}`)(module, find);
        loaded.set(hash, module.exports);
      }
    }
    return loaded.get(hash) as T;
  };
}

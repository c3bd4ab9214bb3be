import type { Blobs } from "../blobs/types.js";
import * as shared from "./shared.js";

/** Loads a part of the relay program, by the hash that the controller named. Rejects with what kept the blob away. */
export async function loadPart<T>(blobs: Pick<Blobs, "get">, hash: string): Promise<T> {
  const source = await blobs.get(hash);
  const module = { exports: {} as T };
  const find = (name: string) => (name === "mop-core" ? shared : require(name));
  new Function("module", "require", `${Buffer.from(source)}`)(module, find);
  return module.exports;
}

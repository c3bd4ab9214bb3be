import { runInThisContext } from "node:vm";
import type { Blobs } from "../blobs/types.js";
import type { BringModule } from "../runtime/types.js";

/** What brings hosts a Node: a module of its own, since few runs need it. */
export async function loadBringer(blobs: Blobs, hash: string): Promise<BringModule["bring"]> {
  const module = { exports: {} as BringModule };
  runInThisContext(`(function(module,require){${Buffer.from(await blobs.get(hash))}\n})`)(module, require);
  return module.exports.bring;
}

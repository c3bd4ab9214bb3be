import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { MopPackage } from "../policy/mop-package.js";
import { memoryBlob } from "../ship/blobs.js";

type Blob = ReturnType<typeof memoryBlob>;

/** The leaf's wing as the build made it: its entry, and parts that only some roles need. */
export interface WingFiles {
  readonly entry: Blob;
  readonly parts: ReadonlyMap<string, Blob>;
}

const ENTRY = "leaf.js";
/** The relay program travels by itself when a node is started, and its own parts to the nodes that need them. */
const NO_PART = new Set([ENTRY, "core.js", "seal.js", "runner.js", "runtime.js"]);

/** `leaf.js` is the entry; every other bundle of the wing is a part, by its name. */
export async function readWing(mop: MopPackage): Promise<WingFiles> {
  const names = await readdir(mop.bundles).catch(() => [] as string[]);
  if (!names.includes(ENTRY))
    throw new Error(`${path.join(mop.bundles, ENTRY)} is missing; run \`npm run build\``);
  const read = async (name: string) => ({
    ...memoryBlob(await readFile(path.join(mop.bundles, name))),
    packed: await readFile(path.join(mop.bundles, `${name}.br`)),
  });
  const parts = names.filter((name) => name.endsWith(".js") && !NO_PART.has(name));
  return {
    entry: await read(ENTRY),
    parts: new Map(
      await Promise.all(parts.map(async (name) => [name.slice(0, -".js".length), await read(name)] as const)),
    ),
  };
}

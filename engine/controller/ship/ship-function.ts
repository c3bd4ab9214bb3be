import path from "node:path";
import type { BlobSource } from "../../../relay/mesh/types.js";
import { memoryBlob } from "./blobs.js";
import type { FunctionHome } from "./find-function.js";
import { bundleForLeaf } from "./leaf-modules.js";
import { bundlePackage } from "./packages.js";
import { plainModule } from "./plain-module.js";
import { localOfExport, sliceModule } from "./slice.js";

/** A function as a leaf loads it. */
export interface ShippedFunction {
  /** CommonJS that exports it as EXPORT */
  readonly module: BlobSource;
  /** By what its code asks `require` for */
  readonly packages: ReadonlyMap<string, BlobSource>;
}

export const EXPORT = "call";

/**
 * Bundles one exported function with what it needs: the declarations of its module that it mentions, the modules that
 * these import, and npm packages. What else the module does at its top stays behind. Throws PolicyError.
 */
export async function shipFunction(
  { file, name }: FunctionHome,
  mopNames: readonly string[],
): Promise<ShippedFunction> {
  const folder = path.dirname(file);
  const code = await plainModule(file, folder);
  const local = localOfExport(code, name);
  const from = JSON.stringify(file);
  const contents = local === undefined ? undefined : sliceModule(code, local, "assignments");
  const bundle = await bundleForLeaf({
    folder,
    mopNames,
    entry: `export { ${local === undefined ? JSON.stringify(name) : "role"} as ${EXPORT} } from ${from};`,
    ...(contents === undefined
      ? {}
      : {
          rewrite: async (wanted: string) =>
            wanted === file ? ({ contents, loader: "js" } as const) : undefined,
        }),
  });
  const packages = await Promise.all(
    bundle.packages.map(async (use) => [use.key, memoryBlob(await bundlePackage(use, folder))] as const),
  );
  return { module: memoryBlob(bundle.code), packages: new Map(packages) };
}

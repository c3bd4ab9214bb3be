import type { BlobSource } from "../../../relay/mesh/types.js";
import type { Role } from "../../vocabulary/language.js";
import type { LoadedPolicy } from "../policy/load-policy.js";
import type { LocalSource } from "../policy/local-source.js";
import { absoluteMap } from "../policy/source-positions.js";
import { memoryBlob } from "./blobs.js";
import { bundleForLeaf } from "./leaf-modules.js";
import { bundlePackage } from "./packages.js";
import { plainModule } from "./plain-module.js";
import { localOfExport, localOfRole, sliceModule } from "./slice.js";

/** A role as leaves load it. */
export interface ShippedRole {
  readonly name: string;
  /** The role's own code: CommonJS that exports `role` */
  readonly module: BlobSource & { readonly bytes: Uint8Array };
  readonly code: string;
  /** Source map (JSON) of `code`, its sources absolute paths */
  readonly map: string;
  /** By what its code asks `require` for */
  readonly packages: ReadonlyMap<string, BlobSource & { readonly bytes: Uint8Array }>;
  readonly warnings: readonly string[];
}

/** Bundles one role of a loaded policy with what its `main` needs, and the packages that it imports. */
export async function shipRole(
  loaded: LoadedPolicy,
  role: Role,
  mopNames: readonly string[],
): Promise<ShippedRole> {
  const plan = await entryOf(loaded, role);
  const bundle = await bundleForLeaf({ ...plan, folder: loaded.folder, mopNames });
  const packages = await Promise.all(
    bundle.packages.map(
      async (use) => [use.key, memoryBlob(await bundlePackage(use, loaded.folder))] as const,
    ),
  );
  return {
    name: role.name,
    module: memoryBlob(bundle.code),
    code: bundle.code,
    map: absoluteMap(bundle.map, loaded.folder),
    packages: new Map(packages),
    warnings: bundle.warnings.map((warning) => `role ${role.name}: ${warning}`),
  };
}

interface Entry {
  readonly entry: string;
  readonly rewrite?: (file: string) => Promise<LocalSource | undefined>;
}

/**
 * Where the role comes from: the module that exports it; else the place in the policy that defines it; else the whole
 * policy, evaluated on the leaf, which then finds the role by its name.
 */
async function entryOf(loaded: LoadedPolicy, role: Role): Promise<Entry> {
  const homes = [...loaded.modules].reverse();
  for (const [file, exports] of homes) {
    const name = Object.keys(exports).find((key) => exports[key] === role);
    if (name === undefined) continue;
    if (file !== loaded.file) return { entry: reExport(file, name) };
    const code = await plainModule(file, loaded.folder);
    const local = localOfExport(code, name);
    return local === undefined ? { entry: reExport(file, name) } : sliced(file, sliceModule(code, local));
  }
  const code = await plainModule(loaded.file, loaded.folder);
  const found = localOfRole(code, role.name);
  if (found) return sliced(loaded.file, sliceModule(found.code, found.local));
  const name = JSON.stringify(role.name);
  return {
    entry: `import policy from ${JSON.stringify(loaded.file)};
export const role = policy.roles.map((entry) => entry.role).find((role) => role.name === ${name});`,
  };
}

const reExport = (file: string, name: string): string =>
  `export { ${/^[\w$]+$/.test(name) ? name : JSON.stringify(name)} as role } from ${JSON.stringify(file)};`;

function sliced(file: string, contents: string): Entry {
  return {
    entry: reExport(file, "role"),
    rewrite: async (wanted) => (wanted === file ? { contents, loader: "js" } : undefined),
  };
}

import { isBuiltin } from "node:module";
import path from "node:path";
import type { OnResolveArgs, PluginBuild } from "esbuild";

/** What an import specifier of a user's file means. */
export type Resolution =
  | { readonly kind: "mop" }
  | { readonly kind: "builtin"; readonly specifier: string }
  | { readonly kind: "package"; readonly specifier: string; readonly file: string }
  | { readonly kind: "local"; readonly file: string; readonly sideEffects: boolean };

const INSIDE = { mop: "resolving" };

/**
 * Tells the user's own modules from packages. undefined: leave it to esbuild, whose error then names the place.
 * TypeScript counts as the user's own wherever it lies (packages linked from a workspace), since Node can't load it.
 */
export async function resolveImport(
  build: PluginBuild,
  args: OnResolveArgs,
): Promise<Resolution | undefined> {
  if (args.pluginData === INSIDE) return undefined;
  if (args.path === "mop") return { kind: "mop" };
  if (isBuiltin(args.path)) return { kind: "builtin", specifier: args.path };
  const found = await build.resolve(args.path, {
    kind: args.kind,
    resolveDir: args.resolveDir,
    importer: args.importer,
    pluginData: INSIDE,
  });
  if (found.errors.length > 0 || found.namespace !== "file" || found.path === "") return undefined;
  const bare = !/^(\.{0,2}\/|\.{1,2}$|#)/.test(args.path) && !path.isAbsolute(args.path);
  const installed = found.path.includes(`${path.sep}node_modules${path.sep}`);
  if (
    (bare || installed) &&
    !/\.[cm]?tsx?$/.test(found.path) &&
    (installed || !isPathAlias(args.path, found.path))
  )
    return { kind: "package", specifier: args.path, file: found.path };
  return { kind: "local", file: found.path, sideEffects: found.sideEffects };
}

/** A tsconfig `paths` alias ("@/hooks.js") leads to the user's own file; a linked package is named by its folder. */
function isPathAlias(specifier: string, file: string): boolean {
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  return !file
    .split(path.sep)
    .join("/")
    .includes(`/${name.split("/").at(-1)}/`);
}

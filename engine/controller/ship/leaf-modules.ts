import { readFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import path from "node:path";
import { type BuildFailure, type BuildOptions, build, type Plugin } from "esbuild";
import { buildError } from "../policy/esbuild-errors.js";
import { isScript, type LocalSource, readLocal } from "../policy/local-source.js";
import { resolveImport } from "../policy/resolve.js";
import { absoluteMap, mapPosition } from "../policy/source-positions.js";
import { PolicyError, placeText } from "../policy-error.js";

const SHAKEN = "mop-shaken.js";

/** Leaves load modules by `require` alone: a shipped `import()` would ask Node for a file that isn't there. */
export const NO_DYNAMIC_IMPORT = { supported: { "dynamic-import": false } } as const satisfies BuildOptions;

/** What travels runs on every Node from 16 up. */
export const LEAF_BUILD = {
  bundle: true,
  write: false,
  platform: "node",
  target: "node16",
  conditions: [],
  charset: "utf8",
  legalComments: "none",
  logLevel: "silent",
} as const satisfies BuildOptions;

/** A package as the user's modules import it. */
export interface PackageUse {
  /** What `require` on the leaf is asked for */
  readonly key: string;
  readonly specifier: string;
  /** Its entry, as resolved from the importing module */
  readonly file: string;
  readonly resolveDir: string;
  readonly required: boolean;
}

export interface LeafBundle {
  /** CommonJS */
  readonly code: string;
  /** Source map (JSON) */
  readonly map: string;
  readonly packages: readonly PackageUse[];
  readonly warnings: readonly string[];
}

export interface LeafBundleOptions {
  readonly entry: string;
  readonly folder: string;
  /** Names that "mop" has at run time; `defineRole` and the like are no business of a leaf */
  readonly mopNames: readonly string[];
  /** Replaces a local module's text */
  readonly rewrite?: (file: string) => Promise<LocalSource | undefined>;
}

/**
 * Bundles the user's own modules for a leaf, everything unused shaken off. Two passes: only in one single file does
 * esbuild know across modules that `defineRole` has no side effects.
 */
export async function bundleForLeaf(options: LeafBundleOptions): Promise<LeafBundle> {
  const { folder } = options;
  const packages = new Map<string, PackageUse>();
  const warnings = new Set<string>();
  let joined = "";
  try {
    const first = await build({
      ...LEAF_BUILD,
      stdin: { contents: options.entry, resolveDir: folder, sourcefile: "mop-entry.js", loader: "js" },
      absWorkingDir: folder,
      outfile: "role.js",
      format: "esm",
      target: "esnext",
      sourcemap: "external",
      plugins: [leafModules(options, packages, warnings)],
    });
    const output = (end: string) => first.outputFiles.find((file) => file.path.endsWith(end))?.text ?? "";
    joined = output(".map");
    const map = Buffer.from(joined).toString("base64");
    const second = await build({
      ...LEAF_BUILD,
      ...NO_DYNAMIC_IMPORT,
      stdin: {
        contents: `${output(".js")}\n//# sourceMappingURL=data:application/json;base64,${map}`,
        resolveDir: folder,
        sourcefile: SHAKEN,
        loader: "js",
      },
      absWorkingDir: folder,
      outfile: "role.js",
      format: "cjs",
      sourcemap: "external",
      metafile: true,
      plugins: [everythingExternal],
    });
    const imported = new Set(
      Object.values(second.metafile.outputs).flatMap((output) => output.imports.map((one) => one.path)),
    );
    const text = (end: string) => second.outputFiles.find((file) => file.path.endsWith(end))?.text ?? "";
    return {
      code: text(".js"),
      map: text(".map"),
      packages: [...packages.values()].filter((use) => imported.has(use.key)),
      warnings: [...warnings],
    };
  } catch (error) {
    throw inOwnFiles(error, joined, folder) ?? buildError(error, folder, "bundling for hosts");
  }
}

/** An error of the second pass stands in a file that no user knows; the first pass's map leads back. */
function inOwnFiles(error: unknown, map: string, folder: string): PolicyError | undefined {
  const first = (error as Partial<BuildFailure> | null)?.errors?.[0];
  if (first?.location?.file !== SHAKEN || map === "") return undefined;
  const place = mapPosition(absoluteMap(map, folder), first.location.line, first.location.column + 1);
  if (!/top-level await/i.test(first.text)) return new PolicyError(first.text, place);
  return new PolicyError(
    "this await at the top of a module would run on every host; move the role into a module of its own, or the await into `main`",
    place,
  );
}

/** Packages that a text imports for their side effects alone, with their lines. */
function bareImports(text: string): { specifier: string; line: number }[] {
  return [...text.matchAll(/^[ \t]*import\s*["']([^"'./][^"']*)["']/gm)].map((match) => ({
    specifier: match[1]!,
    line: text.slice(0, match.index).split("\n").length,
  }));
}

const everythingExternal: Plugin = {
  name: "mop-external",
  setup(setup) {
    setup.onResolve({ filter: /./ }, (args) =>
      args.kind === "entry-point" ? undefined : { path: args.path, external: true, sideEffects: false },
    );
  },
};

function leafModules(
  options: LeafBundleOptions,
  packages: Map<string, PackageUse>,
  warnings: Set<string>,
): Plugin {
  return {
    name: "mop-leaf",
    setup(setup) {
      setup.onResolve({ filter: /./ }, async (args) => {
        if (args.namespace === "mop") return { path: args.path, external: true, sideEffects: false };
        const found = await resolveImport(setup, args);
        if (!found) return undefined;
        const outside = { external: true, sideEffects: false };
        if (found.kind === "mop") return { path: "mop", namespace: "mop", sideEffects: false };
        if (found.kind === "builtin") return { path: found.specifier, ...outside };
        if (found.kind === "package") {
          const required = args.kind === "require-call" || args.kind === "require-resolve";
          const { specifier, file } = found;
          const use = addPackage(packages, { specifier, file, resolveDir: args.resolveDir, required });
          return { path: use.key, ...outside };
        }
        return { path: found.file, namespace: "local", sideEffects: found.sideEffects };
      });
      setup.onLoad({ filter: /./, namespace: "mop" }, () => ({
        contents: leafWords(options.mopNames),
        loader: "js",
      }));
      setup.onLoad({ filter: /./, namespace: "local" }, async (args) => {
        const resolveDir = path.dirname(args.path);
        if (!isScript(args.path))
          return { contents: await readFile(args.path), loader: "default", resolveDir };
        for (const { specifier, line } of bareImports(await readFile(args.path, "utf8")))
          if (!isBuiltin(specifier))
            warnings.add(
              `${placeText({ file: args.path, line })}: "${specifier}" is imported for its side effects alone and stays behind`,
            );
        const rewritten = await options.rewrite?.(args.path);
        if (rewritten) return { ...rewritten, resolveDir };
        // Paths of this machine mean nothing there, and would make the hash depend on where the policy lies.
        const place = path.posix.join(
          "/",
          path.relative(options.folder, args.path).split(path.sep).join("/"),
        );
        const meta = {
          url: `file://${encodeURI(place)}`,
          dirname: path.posix.dirname(place),
          filename: place,
        };
        return { ...(await readLocal(args.path, meta)), resolveDir };
      });
    },
  };
}

/** One key for each file that a specifier leads to; nested node_modules may give one specifier several. */
function addPackage(packages: Map<string, PackageUse>, use: Omit<PackageUse, "key">): PackageUse {
  for (let n = 1; ; n++) {
    const key = `${use.required ? "require:" : ""}${use.specifier}${n === 1 ? "" : `#${n}`}`;
    const known = packages.get(key);
    if (known && known.file !== use.file) continue;
    if (!known) packages.set(key, { key, ...use });
    return known ?? { key, ...use };
  }
}

/** What a leaf's modules get as "mop": the words that make data, and the rest from the wing itself. */
function leafWords(names: readonly string[]): string {
  const words = ["defineRole", "definePolicy", "tomlInventory", "defineType", "defineProvider", "defineFact"];
  const rest = names.filter(
    (name) => !words.includes(name) && /^[A-Za-z_$][\w$]*$/.test(name) && name !== "default",
  );
  return `
/* @__NO_SIDE_EFFECTS__ */ export function defineRole(role) { return { ...role, "mop:kind": "role" }; }
/* @__NO_SIDE_EFFECTS__ */ export function definePolicy(policy) { return { ...policy, "mop:kind": "policy" }; }
/* @__NO_SIDE_EFFECTS__ */ export function tomlInventory(path) { return { "mop:kind": "toml-inventory", path }; }
/* @__NO_SIDE_EFFECTS__ */ export function defineType(type) { return { ...type, "mop:kind": "type" }; }
/* @__NO_SIDE_EFFECTS__ */ export function defineProvider(type, provider) { return { type, provider, "mop:kind": "provider" }; }
/* @__NO_SIDE_EFFECTS__ */ export function defineFact(gather) { return { gather, "mop:kind": "fact" }; }
${rest.length > 0 ? `export { ${rest.join(", ")} } from "mop";` : ""}
`;
}

import path from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Metafile, type Plugin } from "esbuild";
import { PolicyError } from "../policy-error.js";
import { buildError } from "./esbuild-errors.js";
import { isScript, readLocal } from "./local-source.js";
import { resolveImport } from "./resolve.js";
import { absoluteMap } from "./source-positions.js";

const ENTRY = "mop-entry.js";

export interface PolicyBundle {
  /** ESM: default export of the policy as `default`, and `modules`: namespace of each local module by its path */
  readonly code: string;
  /** Source map (JSON), its sources absolute paths */
  readonly map: string;
  /** The user's own files, absolute */
  readonly sources: readonly string[];
}

/**
 * Bundles a policy's own modules; packages stay imports, resolved from where the policy lies. All its modules'
 * namespaces are exported, so that a role can be found among the exports that it came from.
 */
export async function bundlePolicy(file: string, mopEntry: string): Promise<PolicyBundle> {
  const folder = path.dirname(file);
  const first = await bundle(file, folder, mopEntry, []);
  const modules = localModules(first.metafile, file, folder);
  const { metafile, outputFiles } = await bundle(file, folder, mopEntry, modules);
  const text = (end: string) => outputFiles.find((output) => output.path.endsWith(end))?.text ?? "";
  return {
    code: withRequire(text(".js"), file),
    map: absoluteMap(text(".map"), folder),
    sources: Object.keys(metafile.inputs)
      .filter((name) => name !== ENTRY && !/^[a-z-]+:/.test(name))
      .map((name) => path.resolve(folder, name)),
  };
}

async function bundle(file: string, folder: string, mopEntry: string, modules: readonly string[]) {
  const all = [file, ...modules];
  const contents = [
    ...all.map((name, index) => `import * as m${index} from ${JSON.stringify(name)};`),
    `export const policy = m0;`,
    `export const modules = new Map([${all.map((name, index) => `[${JSON.stringify(name)}, m${index}]`)}]);`,
  ].join("\n");
  try {
    return await build({
      stdin: { contents, resolveDir: folder, sourcefile: ENTRY, loader: "js" },
      absWorkingDir: folder,
      outfile: "policy.js",
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
      platform: "node",
      target: "node20",
      conditions: [],
      keepNames: true,
      sourcemap: "external",
      sourceRoot: "",
      logLevel: "silent",
      plugins: [controllerModules(mopEntry)],
    });
  } catch (error) {
    throw buildError(error, folder, "reading the policy");
  }
}

function controllerModules(mopEntry: string): Plugin {
  return {
    name: "mop-controller",
    setup(setup) {
      setup.onResolve({ filter: /./ }, async (args) => {
        const found = await resolveImport(setup, args);
        if (!found) return undefined;
        if (found.kind === "builtin") return { path: found.specifier, external: true };
        if (found.kind === "mop") return { path: pathToFileURL(mopEntry).href, external: true };
        // Node loads .cjs itself: its require, module and __dirname need no help then.
        if (found.kind === "package" || found.file.endsWith(".cjs"))
          return { path: pathToFileURL(found.file).href, external: true };
        return { path: found.file };
      });
      setup.onLoad({ filter: /./, namespace: "file" }, async (args) => {
        if (!isScript(args.path)) return undefined;
        const url = pathToFileURL(args.path).href;
        return readLocal(args.path, { url, dirname: path.dirname(args.path), filename: args.path });
      });
    },
  };
}

/** Local ES modules that are imported as such, without the policy itself. */
function localModules(metafile: Metafile, file: string, folder: string): string[] {
  const found = new Set<string>();
  for (const input of Object.values(metafile.inputs))
    for (const imported of input.imports)
      if (imported.kind === "import-statement" && imported.external !== true) {
        const name = path.resolve(folder, imported.path);
        const format = metafile.inputs[imported.path]?.format;
        if (name !== file && format === "esm" && isScript(name)) found.add(name);
      }
  return [...found];
}

/** esbuild's stand-in for `require` in CommonJS sources looks for a global one; ES modules have none. */
function withRequire(code: string, file: string): string {
  if (!code.includes('Dynamic require of "')) return code;
  const from = JSON.stringify(pathToFileURL(file).href);
  return `import { createRequire as mopCreateRequire } from "node:module"; const require = mopCreateRequire(${from}); ${code}`;
}

/** A policy's file: the path that was given, or policy.ts (.mts, .js, .mjs) in the folder that was given. */
export async function policyFile(given: string, cwd: string): Promise<string> {
  const { stat } = await import("node:fs/promises");
  const wanted = path.resolve(cwd, given);
  const info = await stat(wanted).catch(() => undefined);
  if (info?.isFile()) {
    if (isScript(wanted)) return wanted;
    const text = "this is no policy; give a TypeScript or JavaScript file, or its folder";
    throw new PolicyError(text, { file: wanted });
  }
  if (info?.isDirectory()) {
    for (const name of ["policy.ts", "policy.mts", "policy.js", "policy.mjs"]) {
      const inside = path.join(wanted, name);
      if ((await stat(inside).catch(() => undefined))?.isFile()) return inside;
    }
    throw new PolicyError("there is no policy.ts in this folder", { file: wanted });
  }
  throw new PolicyError("the policy does not exist", { file: wanted });
}

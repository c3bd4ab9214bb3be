import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { PolicyError } from "../policy-error.js";
import { type Diagnostic, diagnostics } from "./diagnostics.js";
import { resourceFaults } from "./javascript-calls.js";
import type { LoadedPolicy } from "./load-policy.js";
import type { MopPackage } from "./mop-package.js";

/** A module without types: esbuild found it, so it is there at run time. */
const NO_TYPES = new Set(["TS2307", "TS7016", "TS2792", "TS2732"]);

/**
 * Runs the TypeScript compiler over a policy's own files; the first error in them becomes a PolicyError. In plain
 * JavaScript only what calls of resources spell out is held to the types.
 */
export async function typeCheck(
  loaded: Pick<LoadedPolicy, "file" | "folder" | "sources">,
  mop: MopPackage,
  signal?: AbortSignal,
): Promise<void> {
  const faults = new Map<string, (diagnostic: Diagnostic) => boolean>();
  for (const file of loaded.sources)
    if (/\.[cm]?tsx?$/.test(file)) faults.set(file, ({ code }) => !NO_TYPES.has(code));
    else if (/\.[cm]?js$/.test(file)) faults.set(file, resourceFaults(await readFile(file, "utf8")));
  if (faults.size === 0) return;
  const place = await mkdtemp(path.join(os.tmpdir(), "mop-types-"));
  try {
    const project = path.join(place, "tsconfig.json");
    await writeFile(project, JSON.stringify(configuration(loaded.file, loaded.folder, mop)));
    const first = (await diagnostics(project, loaded.folder, signal)).find((diagnostic) =>
      faults.get(diagnostic.place.file)?.(diagnostic),
    );
    if (first) throw new PolicyError(`${first.text} (${first.code})`, first.place);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

function configuration(file: string, folder: string, mop: MopPackage): object {
  return {
    compilerOptions: {
      noEmit: true,
      strict: true,
      target: "ES2023",
      lib: ["ES2023", "ESNext.Disposable"],
      // As esbuild resolves: with and without endings, and through `exports` of packages.
      module: "ESNext",
      moduleResolution: "Bundler",
      moduleDetection: "force",
      allowImportingTsExtensions: true,
      allowJs: true,
      checkJs: true,
      resolveJsonModule: true,
      skipLibCheck: true,
      jsx: "preserve",
      paths: { mop: [mop.types] },
      types: ["node"],
      typeRoots: typeRoots(folder, mop),
    },
    files: [file],
  };
}

/** The policy's own types of Node go before ours. */
function typeRoots(folder: string, mop: MopPackage): string[] {
  const roots: string[] = [];
  for (let at = folder; ; at = path.dirname(at)) {
    roots.push(path.join(at, "node_modules/@types"));
    if (at === path.dirname(at)) break;
  }
  const ours = createRequire(path.join(mop.root, "package.json")).resolve("@types/node/package.json");
  roots.push(path.dirname(path.dirname(ours)));
  return roots.filter((root) => existsSync(root));
}

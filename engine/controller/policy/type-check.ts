import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { PolicyError, type SourcePlace } from "../policy-error.js";
import type { LoadedPolicy } from "./load-policy.js";
import type { MopPackage } from "./mop-package.js";

/** A module without types: esbuild found it, so it is there at run time. */
const NO_TYPES = new Set(["TS2307", "TS7016", "TS2792", "TS2732"]);
const TIME_LIMIT_MS = 60_000;

/**
 * Runs the TypeScript compiler over a policy's own files; the first error in them becomes a PolicyError. Policies in
 * plain JavaScript have nothing to check.
 */
export async function typeCheck(
  loaded: Pick<LoadedPolicy, "file" | "folder" | "sources">,
  mop: MopPackage,
  signal?: AbortSignal,
): Promise<void> {
  const own = new Set(loaded.sources.filter((file) => /\.[cm]?tsx?$/.test(file)));
  if (own.size === 0) return;
  const place = await mkdtemp(path.join(os.tmpdir(), "mop-types-"));
  try {
    const project = path.join(place, "tsconfig.json");
    await writeFile(project, JSON.stringify(configuration(loaded.file, loaded.folder, mop)));
    const first = (await diagnostics(project, loaded.folder, signal)).find(
      ({ place: at, code }) => own.has(at.file) && !NO_TYPES.has(code),
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
      checkJs: false,
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

interface Diagnostic {
  readonly place: SourcePlace;
  readonly code: string;
  readonly text: string;
}

async function diagnostics(
  project: string,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<Diagnostic[]> {
  const require = createRequire(import.meta.url);
  const tsc = path.join(path.dirname(require.resolve("typescript/package.json")), "bin/tsc");
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      process.execPath,
      [tsc, "-p", project, "--pretty", "false"],
      { cwd: folder, timeout: TIME_LIMIT_MS, maxBuffer: 16 * 1024 * 1024, ...(signal ? { signal } : {}) },
      (error, stdout, stderr) => {
        // Errors in the policy are exit statuses 1 and 2; anything else means that the compiler didn't run.
        if (error && typeof error.code !== "number")
          reject(new Error(`the type checker did not run: ${stderr.trim() || error.message}`));
        else resolve(stdout);
      },
    );
  });
  return [...output.matchAll(/^(\S.*?)\((\d+),(\d+)\): error (TS\d+): (.*)$/gm)].map(
    ([, file, line, column, code, text]) => ({
      place: { file: path.resolve(folder, file!), line: Number(line), column: Number(column) },
      code: code!,
      text: text!.replace(/\.$/, ""),
    }),
  );
}

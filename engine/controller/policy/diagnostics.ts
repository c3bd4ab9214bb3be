import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import type { SourcePlace } from "../policy-error.js";

const TIME_LIMIT_MS = 60_000;

/** What the compiler found. */
export interface Diagnostic {
  readonly place: SourcePlace;
  readonly code: string;
  readonly text: string;
}

/** Runs the compiler over a project. Relative paths in what it prints are relative to the folder. */
export async function diagnostics(
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
  return [...output.matchAll(/^(\S.*?)\((\d+),(\d+)\): error (TS\d+): (.*)((?:\n +.*)*)$/gm)].map(
    ([, file, line, column, code, text, below]) => ({
      place: { file: path.resolve(folder, file!), line: Number(line), column: Number(column) },
      code: code!,
      text: sentence(text!, below!),
    }),
  );
}

/** What is wrong, and the last of the reasons below it, which name the option: "Types of property 'mode' ...". */
function sentence(text: string, below: string): string {
  const reasons = below.split("\n").filter(Boolean).slice(-2);
  return [text, ...reasons].map((part) => part.trim().replace(/\.$/, "")).join(": ");
}

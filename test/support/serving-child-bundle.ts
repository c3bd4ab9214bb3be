import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export interface ServingChild {
  /** Path of a program: `node <file>` is a node that serves as the conformance cases expect, over its stdio */
  readonly file: string;
  remove(): void;
}

/** Builds serving-child.ts as Node can run it. */
export async function servingChildBundle(): Promise<ServingChild> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "mop-serving-child-"));
  const file = path.join(folder, "child.cjs");
  await build({
    entryPoints: [fileURLToPath(new URL("./serving-child.ts", import.meta.url))],
    bundle: true,
    outfile: file,
    platform: "node",
    format: "cjs",
    target: "node16",
    logLevel: "warning",
  });
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

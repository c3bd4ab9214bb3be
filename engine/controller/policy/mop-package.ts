import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Where the package "mop" that runs this code lies: the same in an installed package and in a checkout. */
export interface MopPackage {
  readonly root: string;
  /** What policies get as "mop" */
  readonly entry: string;
  readonly types: string;
  /** What travels to hosts, made by the build */
  readonly bundles: string;
}

export function mopPackage(from: string = fileURLToPath(import.meta.url)): MopPackage {
  let root = path.dirname(from);
  while (!isMop(root)) {
    const parent = path.dirname(root);
    if (parent === root) throw new Error(`the package "mop" was not found above ${from}`);
    root = parent;
  }
  return {
    root,
    entry: path.join(root, "dist/engine/index.js"),
    types: path.join(root, "dist/engine/index.d.ts"),
    bundles: path.join(root, "dist/bundles"),
  };
}

function isMop(folder: string): boolean {
  const file = path.join(folder, "package.json");
  return existsSync(file) && (JSON.parse(readFileSync(file, "utf8")) as { name?: string }).name === "mop";
}

/** What "mop" exports, so that roles may import its error classes on hosts too. */
export async function mopNames(mop: MopPackage): Promise<string[]> {
  return Object.keys((await import(pathToFileURL(mop.entry).href)) as object);
}

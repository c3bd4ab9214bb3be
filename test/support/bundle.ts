import path from "node:path";
import { build } from "esbuild";

/** One CommonJS file of a test program, for a process of its own; gives its path. */
export async function bundle(entry: string, folder: string): Promise<string> {
  const outfile = path.join(folder, `${path.basename(entry, ".ts")}.cjs`);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node16",
  });
  return outfile;
}

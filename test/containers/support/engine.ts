import { execFile } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** A Docker engine and the image that the lab's hosts start from, or why there is none. */
export type Engine = { readonly image: string } | { readonly missing: string };

const script = (name: string) => path.join(path.dirname(fileURLToPath(import.meta.url)), name);

const run = (file: string, args: readonly string[]) =>
  new Promise<{ ok: boolean; stdout: string; lastError: string }>((resolve) => {
    execFile(file, args, { maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({
        ok: error === null,
        stdout: stdout.trim(),
        lastError: stderr.trim().split("\n").at(-1) ?? "",
      }),
    );
  });

/**
 * Looks for the engine, and builds the image where that is possible (minutes, the first time): "base" for the lab's
 * hosts, "types" for those that package managers and services are tried on, "nginx" for those that can install it,
 * "musl" for one of which the sessions are in a tree with musl.
 */
export async function findEngine(kind: "base" | "types" | "nginx" | "musl" = "base"): Promise<Engine> {
  // The reaper's image would have to come from a registry; what a run leaves behind ends by its own timer.
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= "true";
  const info = await run("docker", ["info", "--format", "{{.ServerVersion}}"]);
  if (!info.ok) return { missing: "no Docker engine answers" };
  const built = await run(script(`${kind}-image.sh`), []);
  return built.ok ? { image: built.stdout } : { missing: built.lastError };
}

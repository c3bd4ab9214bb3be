import { closeSync, existsSync, openSync, readSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { RuntimeFile, RuntimeFiles } from "../../../relay/mesh/bringing.js";
import { PolicyError } from "../policy-error.js";
import { readElf } from "./elf.js";
import { isPlatform, PLATFORMS, type PlatformName } from "./platforms.js";
import { keptRuntimes, measure } from "./store.js";

/** Files that the user names, by platform; "~/" is the home. */
export type NamedRuntimes = Readonly<Partial<Record<PlatformName, string>>>;

/** A runtime that can be brought, and where it comes from. */
export interface Supplied {
  readonly platform: PlatformName;
  readonly file: string;
  /** Undefined where nobody said */
  readonly version: string | undefined;
  readonly from: "named" | "kept" | "own";
  /** What was fetched, for kept ones */
  readonly source?: string;
  readonly glibc: string;
}

export interface SupplyOptions {
  readonly named?: NamedRuntimes | undefined;
  /** Default: ~/.mop/runtimes */
  readonly folder?: string;
  /** The controller's own Node; default: the one that runs this */
  readonly own?: string;
}

/** What every Linux that Node supports has: a Node that needs more can't be taken to another host alone. */
const USUAL =
  /^(?:lib(?:c|m|dl|rt|pthread|stdc\+\+|gcc_s|atomic)\.(?:so\.\d+|musl-\w+\.so\.\d+)|ld-.*\.so\.\d+)$/;

/**
 * What can be brought to hosts, one a platform: the file that the user names, else the newest that was fetched, else
 * the Node that runs mop. Throws PolicyError where a named file is none for its platform.
 */
export async function supplied(options: SupplyOptions = {}): Promise<readonly Supplied[]> {
  const found = new Map<PlatformName, Supplied>();
  const add = (one: Supplied | undefined) => {
    if (one && !found.has(one.platform)) found.set(one.platform, one);
  };
  for (const [platform, file] of Object.entries(options.named ?? {})) add(named(platform, file));
  for (const { platform, version, source, file } of await keptRuntimes(options.folder))
    add({ platform, version, source, file, from: "kept", glibc: glibcOf(file) });
  add(ownRuntime(options.own));
  return PLATFORMS.flatMap((platform) => found.get(platform) ?? []);
}

/** The same with what the mesh needs of each: its hashes. */
export async function runtimeFiles(options: SupplyOptions = {}): Promise<RuntimeFiles> {
  const files = await Promise.all(
    (await supplied(options)).map(
      async ({ platform, file, glibc, from }): Promise<[PlatformName, RuntimeFile]> => {
        const measured = await measure(file);
        if (from === "kept" && measured.hash !== path.basename(file))
          throw new PolicyError(
            `${file} is not what was fetched any more; remove it, and \`mop runtime add ${platform}\` fetches it anew`,
          );
        return [platform, { file, glibc, ...measured }];
      },
    ),
  );
  return Object.fromEntries(files);
}

function named(platform: string, text: string): Supplied {
  const where = `[runtimes] ${platform}`;
  if (!isPlatform(platform)) throw new PolicyError(`${where}: known platforms are ${PLATFORMS.join(", ")}`);
  const file = text.startsWith("~/") ? path.join(os.homedir(), text.slice(2)) : text;
  if (!existsSync(file)) throw new PolicyError(`${where}: ${file} does not exist`);
  const elf = platform.startsWith("linux-") ? readElf(file) : undefined;
  if (elf && elf.platform !== platform)
    throw new PolicyError(`${where}: ${file} is a program for ${elf.platform ?? "another processor"}`);
  if (!elf && platform.startsWith("linux-") && !isScript(file))
    throw new PolicyError(`${where}: ${file} is no program for Linux`);
  const other = elf && strange(elf.libraries);
  if (other)
    throw new PolicyError(
      `${where}: ${file} can't be brought alone, since it needs ${other}; take Node's own build, which has everything in it`,
    );
  return { platform, file, version: undefined, from: "named", glibc: elf?.glibc ?? "" };
}

/** The Node that runs mop, where it is a file that runs alone; a distribution's may need libraries of its own. */
export function ownRuntime(file = process.execPath): Supplied | undefined {
  const version = file === process.execPath ? process.versions.node : undefined;
  if (process.platform !== "linux") {
    const platform = `${process.platform}-${process.arch}`;
    return isPlatform(platform) ? { platform, file, version, from: "own", glibc: "" } : undefined;
  }
  const elf = readElf(file);
  if (!elf?.platform || !isPlatform(elf.platform) || strange(elf.libraries)) return undefined;
  return { platform: elf.platform, file, version, from: "own", glibc: elf.glibc };
}

const strange = (libraries: readonly string[]) => libraries.find((name) => !USUAL.test(name));

const glibcOf = (file: string): string => (existsSync(file) ? (readElf(file)?.glibc ?? "") : "");

function isScript(file: string): boolean {
  const descriptor = openSync(file, "r");
  try {
    const start = Buffer.alloc(2);
    readSync(descriptor, start, 0, 2, 0);
    return start.toString("latin1") === "#!";
  } finally {
    closeSync(descriptor);
  }
}

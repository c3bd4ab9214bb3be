import type { Stats } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import type { FactValue } from "../../vocabulary/facts.js";
import { hasCode, Refusal, refuse } from "../errors.js";
import type { GatherTools } from "./role-facts.js";

/** A fact of the second folder gives way to one of the first with the same name. */
export const FACT_FOLDERS = ["/etc/mop/facts.d", "/etc/opsmop/facts.d"] as const;
/** Larger files are no facts. */
const MAX_FILE = 1024 * 1024;
/** Ends of names that say how a file is read, and the part of the wing that can; JSON needs none */
const PARSERS: Readonly<Record<string, string | undefined>> = {
  ".json": "json",
  ".toml": "toml",
  ".yaml": "yaml",
  ".yml": "yaml",
};

export type CustomFacts = { readonly [name: string]: FactValue };

/** The facts that an administrator put on the host. Rejects with a Refusal that names the file. */
export async function customFacts(
  tools: GatherTools,
  folders: readonly string[] = FACT_FOLDERS,
): Promise<CustomFacts> {
  const found: [string, FactValue][] = [];
  for (const folder of [...folders].reverse())
    for (const file of await filesIn(folder)) {
      const at = path.join(folder, file);
      const value = await readFact(tools, at);
      if (value !== undefined) found.push([path.parse(file).name, value]);
    }
  return Object.fromEntries(found);
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    mustBeGuarded(folder, await stat(folder));
    // Editors and package managers leave files behind: .x.swp, x~, x.dpkg-old.
    return (await readdir(folder)).filter((name) => !/^\.|~$|\.(dpkg-|rpm|bak$|orig$)/.test(name)).sort();
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return [];
    throw refuse(`the folder ${folder} can't be read`, error);
  }
}

async function readFact(tools: GatherTools, at: string): Promise<FactValue | undefined> {
  const stats = await stat(at).catch((error: unknown) => {
    throw refuse(`the fact ${at} can't be read`, error);
  });
  if (!stats.isFile()) return undefined;
  const runs = (stats.mode & 0o111) !== 0;
  const kind = PARSERS[path.extname(at)];
  if (!runs && kind === undefined) return undefined;
  mustBeGuarded(at, stats);
  if (runs) return parsed(at, await output(tools, at), JSON.parse);
  if (stats.size > MAX_FILE) throw new Refusal(`the fact ${at} has ${stats.size} bytes, at most ${MAX_FILE}`);
  const text = await readFile(at, "utf8").catch((error: unknown) => {
    throw refuse(`the fact ${at} can't be read`, error);
  });
  if (kind === "json" || kind === undefined) return parsed(at, text, JSON.parse);
  const { parse } = await tools.part(kind);
  return parsed(at, text, parse as (text: string) => unknown);
}

/** Programs among the facts run as this user, who may be root. */
function mustBeGuarded(at: string, { uid, mode }: Stats): void {
  const me = process.geteuid?.() ?? 0;
  if ((uid !== 0 && uid !== me) || (mode & 0o002) !== 0)
    throw new Refusal(
      `${at} can be written by others than root and this user; facts in it are neither read nor run`,
    );
}

async function output(tools: GatherTools, at: string): Promise<string> {
  try {
    return (await tools.exec(at, [])).stdout;
  } catch (error) {
    throw refuse(`the fact ${at} can't be had`, error);
  }
}

function parsed(at: string, text: string, parse: (text: string) => unknown): FactValue {
  try {
    return plain(parse(text));
  } catch (error) {
    const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new Refusal(`the fact ${at} is not what its kind asks for: ${line.slice(0, 200)}`);
  }
}

/** What JSON can say: days and times as text, numbers as numbers. */
function plain(value: unknown): FactValue {
  if (value === null || value === undefined) return null;
  if (typeof value === "bigint") return Number(value);
  // TOML and YAML have infinities, and numbers that are none.
  if (typeof value === "number" && !Number.isFinite(value)) return null;
  if (typeof value !== "object") return value as FactValue;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]));
}

import { statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { readToml } from "../../engine/controller/inventory/toml.js";
import { displayPath, PolicyError } from "../../engine/controller/policy-error.js";
import { type Defaults, KEYS, type Key, WITHOUT_MEANING } from "./keys.js";

export interface DefaultsPlaces {
  readonly home: string;
  /** "/etc" */
  readonly system: string;
}

/** OpsMop's own files are read behind ours. */
const FOLDERS = ({ home, system }: DefaultsPlaces): string[] => [
  path.join(home, ".mop"),
  path.join(system, "mop"),
  path.join(home, ".opsmop"),
  path.join(system, "opsmop"),
];

/**
 * The operator's defaults: of each key the first file that has it. What is strange in a file is warned about; what
 * can't be what its key asks for is a PolicyError.
 */
export async function readDefaults(
  warn: (text: string) => void,
  places: DefaultsPlaces = { home: os.homedir(), system: "/etc" },
): Promise<Defaults> {
  const defaults: { [name: string]: unknown } = {};
  for (const folder of FOLDERS(places)) {
    const file = path.join(folder, "defaults.toml");
    const mode = modeOf(file);
    if (mode === undefined) continue;
    let secret: string | undefined;
    for (const { name, value } of entries(await readToml(file, "file of defaults"), file)) {
      const key = KEYS[name];
      if (!key) {
        warn(unknownKey(name, file));
        continue;
      }
      const read = readKey(key, value, `${displayPath(file)}: ${name}`);
      // What is written as empty says nothing, as in OpsMop
      if (read === undefined) continue;
      if (key.secret) secret ??= name;
      if (!Object.hasOwn(defaults, key.gives)) defaults[key.gives] = read;
    }
    if (secret !== undefined && (mode & 0o077) !== 0)
      warn(
        `${displayPath(file)} holds a password (${secret}), and others may read it (mode ${(mode & 0o777).toString(8).padStart(4, "0")}); chmod 600 ends that`,
      );
  }
  return defaults as Defaults;
}

/** undefined: there is no such file, or it may not be looked for. */
function modeOf(file: string): number | undefined {
  try {
    return statSync(file).mode;
  } catch {
    return undefined;
  }
}

function* entries(content: unknown, file: string): Generator<{ name: string; value: unknown }> {
  for (const [section, keys] of Object.entries(content as object)) {
    const isSection = typeof keys === "object" && keys !== null && !Array.isArray(keys);
    if (!isSection)
      throw new PolicyError(
        `${displayPath(file)}: ${section} stands in no section; write it below [ssh] or another`,
      );
    for (const [key, value] of Object.entries(keys)) yield { name: `[${section}] ${key}`, value };
  }
}

function readKey({ read, expected }: Key, value: unknown, where: string): unknown {
  if (value === "") return undefined;
  const found = read(value);
  if (found === undefined) throw new PolicyError(`${where} must be ${expected}`);
  return found;
}

function unknownKey(name: string, file: string): string {
  const why = WITHOUT_MEANING[name];
  return why === undefined
    ? `${displayPath(file)}: ${name} is no default that mop knows; its keys are ${Object.keys(KEYS).join(", ")}`
    : `${displayPath(file)}: ${name} is ignored: ${why}`;
}

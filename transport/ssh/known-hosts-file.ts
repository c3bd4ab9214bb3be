/** Writing to a known_hosts file, as OpenSSH would. */
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { hashedField, knownHostLine, parseKnownHosts, verdict } from "./known-hosts.js";

/**
 * Appends keys under a name (as `hostField` writes it), those that stand there already left out. The name is hashed
 * with `hash` (HashKnownHosts), or where other names of the file are. Gives how it was written; throws what the file
 * system says.
 */
export function appendKnownHosts(
  file: string,
  name: string,
  keys: readonly Buffer[],
  hash: boolean,
): { readonly hashed: boolean } {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const before = readIfThere(file);
  const entries = parseKnownHosts(before, file);
  const hashed = hash || entries.some(({ hosts }) => hosts.startsWith("|1|"));
  // Another login to the same host may have written it meanwhile
  const fresh = keys.filter((key) => verdict(entries, name, 22, key, name).kind !== "known");
  const lines = fresh.map((key) => knownHostLine(hashed ? hashedField(name) : name, key)).join("");
  if (lines !== "")
    appendFileSync(file, before === "" || before.endsWith("\n") ? lines : `\n${lines}`, { mode: 0o600 });
  return { hashed };
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

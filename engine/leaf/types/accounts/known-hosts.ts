import { createHash, createHmac } from "node:crypto";
import { type Edited, edited, lines } from "./authorized-keys.js";
import { type PublicKey, parseKey } from "./public-key.js";

/** An entry of a known_hosts file (sshd(8)). */
export interface HostEntry extends PublicKey {
  /** Names and patterns, or one hashed name */
  readonly names: readonly string[];
}

/** The entry in a line; undefined for comments, empty lines and those with a marker ("@revoked"). */
export function parseHostLine(line: string): HostEntry | undefined {
  const match = /^\s*([^\s#@]\S*)[ \t]+(.*)$/.exec(line);
  const key = match && parseKey(match[2]!.trim());
  return key ? { ...key, names: match[1]!.split(",") } : undefined;
}

const HASHED = /^\|1\|([A-Za-z0-9+/=]+)\|([A-Za-z0-9+/=]+)$/;

const hashOf = (name: string, salt: Buffer): string => createHmac("sha1", salt).update(name).digest("base64");

/** Whether a name in a file is this one, in the clear or hashed; patterns are somebody's rule for many, and none. */
export function isName(written: string, name: string): boolean {
  const hashed = HASHED.exec(written);
  if (hashed) return hashOf(name, Buffer.from(hashed[1]!, "base64")) === hashed[2];
  return written.toLowerCase() === name;
}

/**
 * The salt comes from what is hashed, so that a check shows the line that the run will write. It hides no less: the key
 * beside it tells equal hosts apart anyway, and to try a name costs the same.
 */
export function hashedName(name: string, blob: string): string {
  const salt = createHash("sha256").update(`${name}\0${blob}`).digest().subarray(0, 20);
  return `|1|${salt.toString("base64")}|${hashOf(name, salt)}`;
}

/** As ssh looks a host up: lower case, and without brackets for the usual port. */
export function normalName(name: string): string {
  const lower = name.toLowerCase();
  return /^\[(.+)\]:22$/.exec(lower)?.[1] ?? lower;
}

export interface WantedHost {
  readonly name: string;
  readonly keys: readonly PublicKey[];
  readonly hash: boolean;
  readonly exclusive: boolean;
}

/** The text of a file in which a host has these keys. */
export function withHost(text: string, { name, keys, hash, exclusive }: WantedHost): Edited {
  const actions = new Set<string>();
  const missing = new Map(keys.map((key) => [key.blob, key]));
  const kinds = new Set(keys.map(({ kind }) => kind));
  const wanted = new Set(missing.keys());
  const replaced = new Set<string>();
  const kept = lines(text).flatMap((line) => {
    const entry = parseHostLine(line);
    if (!entry?.names.some((written) => isName(written, name))) return [line];
    if (wanted.has(entry.blob)) {
      missing.delete(entry.blob);
      return [line];
    }
    if (!exclusive && !kinds.has(entry.kind)) return [line];
    if (kinds.has(entry.kind)) replaced.add(entry.kind);
    else actions.add("remove");
    return withoutName(line, entry, name);
  });
  for (const { kind, blob, comment } of missing.values()) {
    actions.add(replaced.delete(kind) ? "update" : "add");
    const written = hash ? hashedName(name, blob) : name;
    kept.push([written, kind, blob, comment].filter((part) => part !== "").join(" "));
  }
  // What is left stood beside the right key.
  if (replaced.size > 0) actions.add("remove");
  return edited(kept, text, actions);
}

/** The text of a file without a host, or without these keys of it. */
export function withoutHost(text: string, name: string, blobs: ReadonlySet<string> | undefined): Edited {
  let gone = false;
  const kept = lines(text).flatMap((line) => {
    const entry = parseHostLine(line);
    if (!entry?.names.some((written) => isName(written, name))) return [line];
    if (blobs && !blobs.has(entry.blob)) return [line];
    gone = true;
    return withoutName(line, entry, name);
  });
  return edited(kept, text, new Set(gone ? ["remove"] : []));
}

/** A line may be for several names; the others keep it. */
function withoutName(line: string, { names }: HostEntry, name: string): string[] {
  const others = names.filter((written) => !isName(written, name));
  return others.length === 0 ? [] : [line.trimStart().replace(/^\S+/, () => others.join(","))];
}

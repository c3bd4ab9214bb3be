/** OpenSSH's known_hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), read and asked. */
import { createHmac, randomBytes } from "node:crypto";

export interface KnownHost {
  readonly file: string;
  /** Counted from 1 */
  readonly line: number;
  readonly marker: "revoked" | "cert-authority" | undefined;
  /** Patterns as they stand, or one hashed name */
  readonly hosts: string;
  readonly type: string;
  readonly key: Buffer;
}

export type Verdict =
  | { readonly kind: "known"; readonly entry: KnownHost }
  /** `authority`: a @cert-authority line would cover the host, but certificates aren't supported */
  | { readonly kind: "unknown"; readonly authority: KnownHost | undefined }
  /** Another key stands in known_hosts, here */
  | { readonly kind: "changed"; readonly entry: KnownHost }
  | { readonly kind: "revoked"; readonly entry: KnownHost };

/** The entries of one file's text; comments and lines that OpenSSH skips are left out. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  const entries: KnownHost[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const fields = raw.trim().split(/[ \t]+/);
    if (fields[0] === "" || fields[0]!.startsWith("#")) continue;
    const marked = fields[0]!.startsWith("@") ? fields.shift()!.slice(1) : undefined;
    if (marked !== undefined && marked !== "revoked" && marked !== "cert-authority") continue;
    const [hosts, type, base64] = fields;
    if (!hosts || !type || !base64) continue;
    const key = Buffer.from(base64, "base64");
    if (key.length < 4 || keyType(key) !== type) continue;
    entries.push({ file, line: index + 1, marker: marked, hosts, type, key });
  }
  return entries;
}

/** The type that a public key's own bytes name (RFC 4253, 6.6); "" when they are none. */
export function keyType(key: Buffer): string {
  if (key.length < 4) return "";
  const length = key.readUInt32BE(0);
  return length > 64 || key.length < 4 + length ? "" : key.toString("latin1", 4, 4 + length);
}

/** How known_hosts writes a host: the bare name on port 22, else [name]:port. */
export const hostField = (host: string, port: number): string => (port === 22 ? host : `[${host}]:${port}`);

/** One `*?` pattern; lower case on both sides. */
function matchesPattern(name: string, pattern: string): boolean {
  // Iterative with one fallback point: linear for what stands in real files, quadratic at worst
  let n = 0;
  let p = 0;
  let star = -1;
  let mark = 0;
  while (n < name.length) {
    if (p < pattern.length && pattern[p] === "*") {
      star = p++;
      mark = n;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === name[n])) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++mark;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

/** Whether a line's host field covers `name` (as `hostField` writes it). A negated match takes the whole line out. */
export function coversHost(hosts: string, name: string): boolean {
  if (hosts.startsWith("|")) {
    const [, method, salt, hash] = hosts.split("|");
    if (method !== "1" || !salt || !hash) return false;
    const digest = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest();
    return digest.equals(Buffer.from(hash, "base64"));
  }
  let covered = false;
  for (const item of hosts.toLowerCase().split(",")) {
    const negated = item.startsWith("!");
    if (!matchesPattern(name, negated ? item.slice(1) : item)) continue;
    if (negated) return false;
    covered = true;
  }
  return covered;
}

/** The entries of one host, as far as they count for it. */
export const entriesOf = (entries: readonly KnownHost[], name: string): KnownHost[] =>
  entries.filter((entry) => coversHost(entry.hosts, name));

function verdictFor(entries: readonly KnownHost[], name: string, key: Buffer): Verdict {
  const own = entriesOf(entries, name);
  const revoked = own.find((entry) => entry.marker === "revoked" && entry.key.equals(key));
  if (revoked) return { kind: "revoked", entry: revoked };
  const plain = own.filter((entry) => entry.marker === undefined);
  const same = plain.find((entry) => entry.key.equals(key));
  if (same) return { kind: "known", entry: same };
  if (plain[0])
    return { kind: "changed", entry: plain.find((entry) => entry.type === keyType(key)) ?? plain[0] };
  return { kind: "unknown", authority: own.find((entry) => entry.marker === "cert-authority") };
}

/**
 * What known_hosts says of a key that a host has shown. As OpenSSH does, a host on another port than 22 that is not
 * listed with its port is also known by its bare name when the key is the same. `alias` stands for name and port.
 */
export function verdict(
  entries: readonly KnownHost[],
  host: string,
  port: number,
  key: Buffer,
  alias?: string,
): Verdict {
  const name = (alias ?? hostField(host, port)).toLowerCase();
  const first = verdictFor(entries, name, key);
  if (first.kind !== "unknown" || alias !== undefined || port === 22) return first;
  const bare = verdictFor(entries, host.toLowerCase(), key);
  return bare.kind === "known" || bare.kind === "revoked" ? bare : first;
}

/** A name as HashKnownHosts writes it. */
export function hashedField(name: string): string {
  const salt = randomBytes(20);
  const digest = createHmac("sha1", salt).update(name).digest("base64");
  return `|1|${salt.toString("base64")}|${digest}`;
}

/** A line for known_hosts as OpenSSH appends it. */
export const knownHostLine = (name: string, key: Buffer): string =>
  `${name} ${keyType(key)} ${key.toString("base64")}\n`;

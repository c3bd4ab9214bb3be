import { readFile } from "node:fs/promises";
import { MopError } from "../errors.js";
import { type AlgorithmLists, algorithmsFor } from "./algorithms.js";
import {
  entriesOf,
  hostField,
  type KnownHost,
  keyType,
  knownHostLine,
  parseKnownHosts,
  verdict,
} from "./known-hosts.js";
import { appendKnownHosts } from "./known-hosts-file.js";
import { fingerprint, keyBits } from "./public-key.js";
import { readRevoked } from "./revoked-keys.js";
import type { Target } from "./types.js";

/** OpenSSH's own default of RequiredRSASize */
const LEAST_RSA_BITS = 1024;

/** Under which name known_hosts has a host */
export const knownHostsName = ({ hostKeyAlias, address, port }: Target): string =>
  (hostKeyAlias ?? hostField(address, port)).toLowerCase();

const FRIENDLY: Readonly<Record<string, string>> = { "ssh-ed25519": "ED25519", "ssh-rsa": "RSA" };
const friendly = (key: Buffer) => FRIENDLY[keyType(key)] ?? keyType(key).replace(/^ecdsa-sha2-/, "ECDSA ");

/**
 * Decides on the host key of one login, once: later key exchanges of the session must show the same key. A client
 * can't be made without one of these, and this constructor is the only way to it.
 */
export class HostKeyVerifier {
  readonly #target: Target;
  readonly #entries: readonly KnownHost[];
  #pinned: Buffer | undefined;
  #refusal: MopError | undefined;

  /** Only asked for; accepted never */
  readonly #reading: readonly string[] | undefined;
  #shown: Buffer | undefined;

  private constructor(target: Target, entries: readonly KnownHost[], reading?: readonly string[]) {
    this.#target = target;
    this.#entries = entries;
    this.#reading = reading;
  }

  /** Takes no key whatsoever: for asking a server which one it has for these algorithms. `shown` is it then. */
  static reading(target: Target, algorithms: readonly string[]): HostKeyVerifier {
    return new HostKeyVerifier(target, [], algorithms);
  }

  /** Reads the target's known_hosts files; those that don't exist are empty. */
  static async load(target: Target): Promise<HostKeyVerifier> {
    const { revokedKeysFile } = target;
    const known = target.hostKeys === "off" ? [] : target.knownHostsFiles;
    const files = await Promise.all([
      ...known.map(readEntries),
      ...(revokedKeysFile === undefined ? [] : [readRevoked(target.name, revokedKeysFile)]),
    ]);
    return new HostKeyVerifier(target, files.flat());
  }

  /** The lists to offer, with the types first under which the host is known. */
  get algorithms(): AlgorithmLists {
    if (this.#reading) return { ...algorithmsFor(new Set()), serverHostKey: this.#reading };
    const names = [this.#name, ...(this.#target.hostKeyAlias ? [] : [this.#target.address.toLowerCase()])];
    const known = names.flatMap((name) => entriesOf(this.#entries, name)).filter((entry) => !entry.marker);
    return algorithmsFor(new Set(known.map((entry) => entry.type)), this.#target.algorithms);
  }

  /** The key that was accepted, as the wire has it */
  get pinned(): Buffer | undefined {
    return this.#pinned;
  }

  /** The key that was asked for, once it was shown */
  get shown(): Buffer | undefined {
    return this.#shown;
  }

  /** Why the last key was refused */
  get refusal(): MopError | undefined {
    return this.#refusal;
  }

  get #name(): string {
    return knownHostsName(this.#target);
  }

  /** Whether to go on with this key. With `accept-new` an unknown key is written to the first known_hosts file. */
  check(key: Buffer): boolean {
    if (this.#reading) {
      this.#shown = Buffer.from(key);
      this.#refusal = new MopError(
        "HOST_KEY_UNKNOWN",
        `${this.#target.name}: the host key was only asked for`,
      );
      return false;
    }
    this.#refusal = this.#pinned ? this.#repeated(key) : this.#judge(key);
    if (!this.#refusal) this.#pinned ??= Buffer.from(key);
    return this.#refusal === undefined;
  }

  #repeated(key: Buffer): MopError | undefined {
    if (this.#pinned?.equals(key)) return undefined;
    return new MopError("HOST_KEY_CHANGED", `${this.#target.name} showed another host key in mid-session`);
  }

  #judge(key: Buffer): MopError | undefined {
    const { name, address, port, hostKeys, hostKeyAlias, knownHostsFiles } = this.#target;
    const short = tooShort(this.#target, key);
    if (short) return short;
    const answer = verdict(this.#entries, address, port, key, hostKeyAlias);
    if (answer.kind === "revoked") return revokedKey(this.#target, key, answer.entry);
    if (answer.kind === "known" || hostKeys === "off") return undefined;
    if (answer.kind === "changed") return changedKey(this.#target, key, answer.entry);
    if (hostKeys === "accept-new" && knownHostsFiles[0]) return this.#remember(knownHostsFiles[0], key);
    const authority = answer.authority
      ? ` (the @cert-authority in ${answer.authority.file}, line ${answer.authority.line} doesn't help: host ` +
        "certificates are not supported)"
      : "";
    const unheeded = unheededText(this.#target.unheeded?.hostKey);
    const line = knownHostLine(this.#name, key).trim();
    return new MopError(
      "HOST_KEY_UNKNOWN",
      `${name}: the host key is unknown: the ${shown(key)} is in none of ${knownHostsFiles.join(", ") || "no known_hosts file"}${authority}${unheeded}; ` +
        `if it is right, add the line "${line}", have it added by mop trust, or connect with --host-keys accept-new`,
    );
  }

  #remember(file: string, key: Buffer): MopError | undefined {
    try {
      appendKnownHosts(file, this.#name, [key], this.#target.hashKnownHosts ?? false);
      return undefined;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return new MopError(
        "HOST_KEY_UNKNOWN",
        `the host key of ${this.#target.name} can't be kept in ${file}: ${why}`,
      );
    }
  }
}

function tooShort({ name, leastRsaBits = LEAST_RSA_BITS }: Target, key: Buffer): MopError | undefined {
  const bits = keyBits(key);
  if (keyType(key) !== "ssh-rsa" || bits >= leastRsaBits) return undefined;
  return new MopError(
    "HOST_KEY_REVOKED",
    `${name}: the host's ${shown(key)} has ${bits} bits, fewer than the ${leastRsaBits} of RequiredRSASize`,
  );
}

/** Settings of OpenSSH's that might have made the difference, in parentheses behind a failure. */
export const unheededText = (options: readonly string[] = []): string =>
  options.length === 0
    ? ""
    : ` (ssh's configuration has ${options.join(" and ")} for it, which mop doesn't use)`;

const shown = (key: Buffer) => `${friendly(key)} key ${fingerprint(key)}`;
const placeOf = ({ file, line }: KnownHost) => `${file}, line ${line}`;

export const revokedKey = ({ name }: Target, key: Buffer, entry: KnownHost): MopError =>
  new MopError("HOST_KEY_REVOKED", `${name}: the host's ${shown(key)} is revoked in ${placeOf(entry)}`);

export function changedKey(target: Target, key: Buffer, entry: KnownHost): MopError {
  const remove = `ssh-keygen -R '${knownHostsName(target)}' -f '${entry.file}'`;
  return new MopError(
    "HOST_KEY_CHANGED",
    `${target.name}: the host key has changed: the host showed the ${shown(key)}, but ${placeOf(entry)} has another; someone may be ` +
      `in between, or the host was set up anew; if you are sure of the new key, remove the old one with ${remove}`,
  );
}

/** The entries of a file; one that doesn't exist is empty. */
export async function readEntries(file: string): Promise<KnownHost[]> {
  try {
    return parseKnownHosts(await readFile(file, "utf8"), file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw new MopError("HOST_KEY_UNKNOWN", `${file} can't be read: ${message}`, { cause: error });
  }
}

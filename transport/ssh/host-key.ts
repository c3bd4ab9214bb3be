import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
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
import type { Target } from "./types.js";

/** As OpenSSH prints it: "SHA256:" and unpadded base64. */
export const fingerprint = (key: Buffer): string =>
  `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;

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

  private constructor(target: Target, entries: readonly KnownHost[]) {
    this.#target = target;
    this.#entries = entries;
  }

  /** Reads the target's known_hosts files; those that don't exist are empty. */
  static async load(target: Target): Promise<HostKeyVerifier> {
    if (target.hostKeys === "off") return new HostKeyVerifier(target, []);
    const files = await Promise.all(target.knownHostsFiles.map(readEntries));
    return new HostKeyVerifier(target, files.flat());
  }

  /** The lists to offer, with the types first under which the host is known. */
  get algorithms(): AlgorithmLists {
    const names = [this.#name, ...(this.#target.hostKeyAlias ? [] : [this.#target.address.toLowerCase()])];
    const known = names.flatMap((name) => entriesOf(this.#entries, name)).filter((entry) => !entry.marker);
    return algorithmsFor(new Set(known.map((entry) => entry.type)));
  }

  /** The key that was accepted, as the wire has it */
  get pinned(): Buffer | undefined {
    return this.#pinned;
  }

  /** Why the last key was refused */
  get refusal(): MopError | undefined {
    return this.#refusal;
  }

  get #name(): string {
    return (this.#target.hostKeyAlias ?? hostField(this.#target.address, this.#target.port)).toLowerCase();
  }

  /** Whether to go on with this key. With `accept-new` an unknown key is written to the first known_hosts file. */
  check(key: Buffer): boolean {
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
    if (hostKeys === "off") return undefined;
    const answer = verdict(this.#entries, address, port, key, hostKeyAlias);
    const shown = `${friendly(key)} key ${fingerprint(key)}`;
    if (answer.kind === "known") return undefined;
    const place = answer.kind === "unknown" ? "" : `${answer.entry.file}, line ${answer.entry.line}`;
    if (answer.kind === "revoked")
      return new MopError("HOST_KEY_REVOKED", `${name}: the host's ${shown} is revoked in ${place}`);
    if (answer.kind === "changed") {
      const remove = `ssh-keygen -R '${this.#name}' -f '${answer.entry.file}'`;
      return new MopError(
        "HOST_KEY_CHANGED",
        `${name}: the host key has changed: the host showed the ${shown}, but ${place} has another; someone may be ` +
          `in between, or the host was set up anew; if you are sure of the new key, remove the old one with ${remove}`,
      );
    }
    if (hostKeys === "accept-new" && knownHostsFiles[0]) return this.#remember(knownHostsFiles[0], key);
    const authority = answer.authority
      ? ` (the @cert-authority in ${answer.authority.file}, line ${answer.authority.line} doesn't help: host ` +
        "certificates are not supported)"
      : "";
    const line = knownHostLine(this.#name, key).trim();
    return new MopError(
      "HOST_KEY_UNKNOWN",
      `${name}: the host key is unknown: the ${shown} is in none of ${knownHostsFiles.join(", ") || "no known_hosts file"}${authority}; ` +
        `if it is right, add the line "${line}" or connect with --host-keys accept-new`,
    );
  }

  #remember(file: string, key: Buffer): MopError | undefined {
    try {
      mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
      const before = readIfThere(file);
      // Another login to the same host may have written it meanwhile
      if (verdict(parseKnownHosts(before, file), this.#name, 22, key, this.#name).kind === "known")
        return undefined;
      const line = knownHostLine(this.#name, key);
      appendFileSync(file, before === "" || before.endsWith("\n") ? line : `\n${line}`, { mode: 0o600 });
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

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

async function readEntries(file: string): Promise<KnownHost[]> {
  try {
    return parseKnownHosts(await readFile(file, "utf8"), file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw new MopError("HOST_KEY_UNKNOWN", `${file} can't be read: ${message}`, { cause: error });
  }
}

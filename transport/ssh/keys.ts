import { readFile } from "node:fs/promises";
import path from "node:path";
import { MopError } from "../errors.js";
import type { ParsedKey } from "./internals.js";
import { parseKey } from "./library.js";
import { fingerprint } from "./public-key.js";
import type { Prompter } from "./types.js";

/** A key that can be offered: from a file or an agent. The private half is used behind `sign` only. */
export interface Credential {
  /** What messages call it: the file, or the agent's comment */
  readonly label: string;
  /** The public half */
  readonly key: ParsedKey;
  readonly fingerprint: string;
  /** Whether `sign` works without asking the operator */
  readonly ready: boolean;
  /** The file holds the public half only: it names a key that an agent has */
  readonly publicOnly?: boolean;
  /** Signs for the algorithm of `signatureAlgorithm`. Undefined: the operator gave no passphrase. */
  sign(data: Buffer): Promise<Buffer | undefined>;
}

/** RSA is signed with SHA-2 (RFC 8332) always; the other types have one algorithm each. */
export const signatureAlgorithm = (key: ParsedKey): string =>
  key.type === "ssh-rsa" ? "rsa-sha2-256" : key.type;
export const signatureHash = (key: ParsedKey): string | undefined =>
  key.type === "ssh-rsa" ? "sha256" : undefined;

const one = (parsed: ReturnType<typeof parseKey>): ParsedKey | Error =>
  Array.isArray(parsed) ? (parsed[0] ?? new Error("it holds no key")) : parsed;

/** A public key from its bytes as the wire has them or from a .pub line; undefined for kinds that ssh2 can't use. */
export function parsePublicKey(data: Buffer | string): ParsedKey | undefined {
  const key = one(parseKey(data));
  return key instanceof Error ? undefined : key;
}

export const publicFingerprint = (key: ParsedKey): string => fingerprint(key.getPublicSSH());

/** Names that OpenSSH tries by default: their absence is no error. */
const DEFAULT_NAMES = /^id_(rsa|dsa|ecdsa|ecdsa_sk|ed25519|ed25519_sk|xmss|mldsa.*)$/;

/** Key files read once a run: a passphrase is asked for once, whatever the number of hosts. */
export class KeyRing {
  readonly #files = new Map<string, Promise<Credential | undefined>>();
  readonly #opened = new Map<string, Promise<ParsedKey | undefined>>();

  /**
   * The key of a file; undefined when it is one of OpenSSH's default files and isn't there, or of a kind that needs
   * hardware. Rejects with KEY_UNREADABLE that names the file.
   */
  load(file: string, prompter?: Prompter): Promise<Credential | undefined> {
    let credential = this.#files.get(file);
    if (!credential) {
      credential = this.#read(file, prompter);
      this.#files.set(file, credential);
    }
    return credential;
  }

  async #read(file: string, prompter: Prompter | undefined): Promise<Credential | undefined> {
    let text: string;
    try {
      text = await readFile(file, "utf8");
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" && DEFAULT_NAMES.test(path.basename(file))) return undefined;
      const why = code === "ENOENT" ? "there is no such file" : message;
      throw new MopError("KEY_UNREADABLE", `the key ${file} can't be read: ${why}`, { cause: error });
    }
    const parsed = one(parseKey(text));
    if (!(parsed instanceof Error)) {
      return parsed.isPrivateKey() ? fromKey(file, parsed) : { ...fromKey(file, parsed), publicOnly: true };
    }
    if (!/no passphrase given/.test(parsed.message)) {
      if (DEFAULT_NAMES.test(path.basename(file)) && /sk$/.test(file)) return undefined;
      throw new MopError("KEY_UNREADABLE", `${file} holds no key that can be used: ${parsed.message}`);
    }
    const known = openSshPublicKey(text) ?? (await publicFile(file));
    if (known) return this.#locked(file, text, known, prompter);
    // Its public half shows only with the passphrase
    const open = await this.#open(file, text, prompter);
    if (!open)
      throw new MopError(
        "KEY_UNREADABLE",
        `the key ${file} needs a passphrase and nobody was there to give it`,
      );
    return fromKey(file, open);
  }

  #locked(file: string, text: string, key: ParsedKey, prompter: Prompter | undefined): Credential {
    const opened = this.#opened;
    const open = () => this.#open(file, text, prompter);
    let ready = false;
    return {
      label: file,
      key,
      fingerprint: publicFingerprint(key),
      get ready() {
        return ready && opened.has(file);
      },
      async sign(data) {
        const whole = await open();
        if (!whole) return undefined;
        ready = true;
        return signWith(file, whole, data);
      },
    };
  }

  #open(file: string, text: string, prompter: Prompter | undefined): Promise<ParsedKey | undefined> {
    let opened = this.#opened.get(file);
    if (!opened) {
      opened = unlock(file, text, prompter);
      this.#opened.set(file, opened);
    }
    return opened;
  }
}

function fromKey(file: string, key: ParsedKey): Credential {
  return {
    label: file,
    key,
    fingerprint: publicFingerprint(key),
    ready: true,
    sign: async (data) => signWith(file, key, data),
  };
}

function signWith(file: string, key: ParsedKey, data: Buffer): Buffer {
  const signature: Buffer | Error = key.sign(data, signatureHash(key));
  if (signature instanceof Error)
    throw new MopError("KEY_UNREADABLE", `the key ${file} can't sign: ${signature.message}`, {
      cause: signature,
    });
  return signature;
}

/** Wrong passphrases that are given before the key is left alone, as with OpenSSH */
const PASSPHRASE_TRIES = 3;

/** Asks for the passphrase, again where it is wrong; undefined when there is nobody to ask or no answer. */
async function unlock(
  file: string,
  text: string,
  prompter: Prompter | undefined,
): Promise<ParsedKey | undefined> {
  for (let tries = 1; ; tries++) {
    const passphrase = await prompter?.passphrase(file, tries > 1);
    if (passphrase === undefined || passphrase === "") return undefined;
    const parsed = one(parseKey(text, passphrase));
    if (!(parsed instanceof Error)) return parsed;
    if (tries === PASSPHRASE_TRIES)
      throw new MopError("KEY_UNREADABLE", `the key ${file} can't be opened: the passphrase is wrong`, {
        cause: parsed,
      });
  }
}

async function publicFile(file: string): Promise<ParsedKey | undefined> {
  try {
    return parsePublicKey(await readFile(`${file}.pub`, "utf8"));
  } catch {
    return undefined;
  }
}

/** The public half that an encrypted file in OpenSSH's format has in clear (PROTOCOL.key). */
function openSshPublicKey(text: string): ParsedKey | undefined {
  const match = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(text);
  if (!match) return undefined;
  const data = Buffer.from(match[1]!, "base64");
  let at = "openssh-key-v1\0".length;
  const field = () => {
    const length = data.readUInt32BE(at);
    at += 4 + length;
    return data.subarray(at - length, at);
  };
  try {
    for (const _ of ["cipher", "derivation", "its options"]) field();
    const keys = data.readUInt32BE(at);
    at += 4;
    return keys === 1 ? parsePublicKey(`${base64Line(field())}`) : undefined;
  } catch {
    return undefined;
  }
}

const base64Line = (key: Buffer) =>
  `${key.toString("latin1", 4, 4 + key.readUInt32BE(0))} ${key.toString("base64")}`;

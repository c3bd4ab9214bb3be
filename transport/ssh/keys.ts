import { readFile } from "node:fs/promises";
import path from "node:path";
import { MopError } from "../errors.js";
import type { ParsedKey } from "./internals.js";
import { parseKey } from "./library.js";
import { type PublicBlob, publicBlob, publicLine, readStrings, wireSignature } from "./public-blob.js";
import type { Prompter } from "./types.js";

/** A key, or a certificate of one, that can be offered: from files or an agent. The private half is used behind `sign` only. */
export interface Credential {
  /** What messages call it: the file, or the agent's comment */
  readonly label: string;
  readonly public: PublicBlob;
  /** Whether `sign` works without asking the operator */
  readonly ready: boolean;
  /** Why it can be used with an agent that has the private half only */
  readonly publicOnly?: string;
  /** A signature as the wire has it, for `signatureAlgorithm`. Undefined: the operator gave no passphrase. */
  sign(data: Buffer): Promise<Buffer | undefined>;
}

const one = (parsed: ReturnType<typeof parseKey>): ParsedKey | Error =>
  Array.isArray(parsed) ? (parsed[0] ?? new Error("it holds no key")) : parsed;

/** Names that OpenSSH tries by default: their absence is no error. */
const DEFAULT_NAMES = /^id_(rsa|dsa|ecdsa|ecdsa_sk|ed25519|ed25519_sk|xmss|mldsa.*)$/;

/** Key files read once a run: a passphrase is asked for once, whatever the number of hosts. */
export class KeyRing {
  readonly #files = new Map<string, Promise<Credential | undefined>>();
  readonly #opened = new Map<string, Promise<ParsedKey | undefined>>();

  readonly #public = new Map<string, ReturnType<typeof publicFile>>();

  /** The public key or certificate of a file; undefined where it has none. */
  publicFile(file: string): ReturnType<typeof publicFile> {
    const known = this.#public.get(file) ?? publicFile(file);
    this.#public.set(file, known);
    return known;
  }

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
    const line = publicLine(text);
    if (line) return agentsOnly(file, line, HOLDS_PUBLIC);
    const clear = openSshPublicKey(text);
    if (clear?.type.startsWith("sk-")) return agentsOnly(file, clear, NEEDS_HARDWARE);
    const parsed = one(parseKey(text));
    if (!(parsed instanceof Error)) return fromKey(file, parsed);
    if (!/no passphrase given/.test(parsed.message))
      throw new MopError("KEY_UNREADABLE", `${file} holds no key that can be used: ${parsed.message}`);
    const known = clear ?? (await publicFile(`${file}.pub`));
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

  #locked(file: string, text: string, key: PublicBlob, prompter: Prompter | undefined): Credential {
    const opened = this.#opened;
    const open = () => this.#open(file, text, prompter);
    let ready = false;
    return {
      label: file,
      public: key,
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

const HOLDS_PUBLIC =
  "holds a public key only, and no agent has its private half; name the private key's file";
const NEEDS_HARDWARE = "is a security key's, which mop reaches through an agent only; add it with ssh-add";

const agentsOnly = (file: string, key: PublicBlob, publicOnly: string): Credential => ({
  label: file,
  public: key,
  ready: false,
  publicOnly,
  sign: async () => undefined,
});

function fromKey(file: string, key: ParsedKey): Credential {
  const known = publicBlob(key.getPublicSSH());
  if (!known)
    throw new MopError("KEY_UNREADABLE", `${file} holds no key that can be used: ${key.type} is too weak`);
  return { label: file, public: known, ready: true, sign: async (data) => signWith(file, key, data) };
}

function signWith(file: string, key: ParsedKey, data: Buffer): Buffer {
  const signature: Buffer | Error = key.sign(data, key.type === "ssh-rsa" ? "sha256" : undefined);
  if (signature instanceof Error)
    throw new MopError("KEY_UNREADABLE", `the key ${file} can't sign: ${signature.message}`, {
      cause: signature,
    });
  return wireSignature(key.type, signature);
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

/** What a .pub file holds; undefined where there is none. */
export async function publicFile(file: string): Promise<PublicBlob | undefined> {
  try {
    return publicLine(await readFile(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** The public half that a file in OpenSSH's format has in clear, encrypted or not (PROTOCOL.key). */
function openSshPublicKey(text: string): PublicBlob | undefined {
  const match = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(text);
  if (!match) return undefined;
  const data = Buffer.from(match[1]!, "base64").subarray("openssh-key-v1\0".length);
  const next = readStrings(data);
  try {
    const before = [next(), next(), next()].reduce((sum, { length }) => sum + 4 + length, 0);
    // One key, as ssh-keygen writes them
    if (data.readUInt32BE(before) !== 1) return undefined;
    return publicBlob(readStrings(data.subarray(before + 4))());
  } catch {
    return undefined;
  }
}

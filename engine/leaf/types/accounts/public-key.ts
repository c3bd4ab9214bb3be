import { Refusal } from "../../errors.js";

export interface PublicKey {
  /** "ssh-ed25519" */
  readonly kind: string;
  /** Base64, as it stands in the line */
  readonly blob: string;
  readonly comment: string;
}

const KIND = /^(ssh-|ecdsa-sha2-|sk-ssh-|sk-ecdsa-|webauthn-sk-)[A-Za-z0-9@.-]+$/;

export const isKeyKind = (word: string): boolean => KIND.test(word);

/** The key at the start of a text, "KIND BASE64 COMMENT"; undefined where there is none. */
export function parseKey(text: string): PublicKey | undefined {
  const match = /^(\S+)[ \t]+([A-Za-z0-9+/]+={0,2})(?:[ \t]+(.*?))?[ \t]*$/.exec(text);
  if (!match || !isKeyKind(match[1]!)) return undefined;
  const [, kind, blob, comment = ""] = match;
  return kindInside(blob!) === kind ? { kind: kind!, blob: blob!, comment } : undefined;
}

/**
 * A key is fields with their lengths in front, the first its kind once more (RFC 4253, 6.6): a truncated or mixed up
 * one is found by that.
 */
function kindInside(blob: string): string | undefined {
  const bytes = Buffer.from(blob, "base64");
  let kind: string | undefined;
  let at = 0;
  while (at + 4 <= bytes.length) {
    const end = at + 4 + bytes.readUInt32BE(at);
    kind ??= bytes.toString("latin1", at + 4, end);
    at = end;
  }
  return at === bytes.length ? kind : undefined;
}

/** Without a key's text: a secret one given by mistake must not be shown. */
export function noKey(position: number, many: boolean): Refusal {
  return new Refusal(
    `${many ? `key ${position + 1} of the list` : 'the option "key"'} is no OpenSSH public key; it is one line as in a .pub file: "ssh-ed25519 AAAA... comment"`,
  );
}

export const keysOf = (key: string | readonly string[] | undefined): readonly string[] =>
  key === undefined ? [] : typeof key === "string" ? [key] : key;

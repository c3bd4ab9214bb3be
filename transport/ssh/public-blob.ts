/** Public keys and user certificates as the wire has them (RFC 4253, 6.6; OpenSSH's PROTOCOL.certkeys, PROTOCOL.u2f). */
import { keyType } from "./known-hosts.js";
import { fingerprint } from "./public-key.js";

const CERTIFICATE = "-cert-v01@openssh.com";
/** Fields of each type's public key behind its name; of these keys certificates are made too */
const FIELDS: Readonly<Record<string, number>> = {
  "ssh-ed25519": 1,
  "ssh-rsa": 2,
  "ecdsa-sha2-nistp256": 2,
  "ecdsa-sha2-nistp384": 2,
  "ecdsa-sha2-nistp521": 2,
  "sk-ssh-ed25519@openssh.com": 2,
  "sk-ecdsa-sha2-nistp256@openssh.com": 3,
};

/** Strings with their lengths, one behind the other (RFC 4251, 5). */
export const wireStrings = (...fields: readonly (Buffer | string)[]): Buffer =>
  Buffer.concat(
    fields.flatMap((field) => {
      const bytes = Buffer.from(field as string);
      const head = Buffer.alloc(4);
      head.writeUInt32BE(bytes.length);
      return [head, bytes];
    }),
  );

/** Takes strings from the front; throws a RangeError where there are none left. */
export function readStrings(data: Buffer): () => Buffer {
  let at = 0;
  return () => {
    const length = data.readUInt32BE(at);
    if (at + 4 + length > data.length) throw new RangeError("a string is cut off");
    at += 4 + length;
    return data.subarray(at - length, at);
  };
}

/** "ssh-ed25519" of an Ed25519 key's certificate too; "sk-ssh-ed25519@openssh.com" has its own domain kept */
const plainType = (type: string): string => {
  if (!type.endsWith(CERTIFICATE)) return type;
  const name = type.slice(0, -CERTIFICATE.length);
  return name.startsWith("sk-") ? `${name}@openssh.com` : name;
};

/** What a login says of a key: with RSA the hash of its signatures is a part of that, SHA-2 always (RFC 8332). */
export const signatureAlgorithm = (type: string): string =>
  type.replace(/^ssh-rsa(?=$|-cert)/, "rsa-sha2-256");

export interface PublicBlob {
  /** As it is offered: the key, or a certificate of it */
  readonly blob: Buffer;
  /** "ssh-ed25519-cert-v01@openssh.com" */
  readonly type: string;
  readonly isCertificate: boolean;
  /** The key itself, which signs */
  readonly plain: Buffer;
  /** Of the key itself */
  readonly fingerprint: string;
}

/** Undefined for what is no key of a kind that can be used. */
export function publicBlob(blob: Buffer): PublicBlob | undefined {
  const type = keyType(blob);
  const own = plainType(type);
  const fields = FIELDS[own];
  if (fields === undefined) return undefined;
  try {
    const next = readStrings(blob);
    next();
    // A certificate has a nonce before the key's own fields
    if (own !== type) next();
    const plain = wireStrings(own, ...Array.from({ length: fields }, next));
    return { blob, type, isCertificate: own !== type, plain, fingerprint: fingerprint(plain) };
  } catch {
    return undefined;
  }
}

/** Of a .pub file's first line: "type base64 comment". */
export function publicLine(text: string): PublicBlob | undefined {
  const [type, base64] = text.trim().split(/\s+/);
  const found = publicBlob(Buffer.from(base64 ?? "", "base64"));
  return found?.type === type ? found : undefined;
}

/** A signature that node's crypto made, as the wire has it (RFC 5656, 3.1.2 for ECDSA, whose DER has the same numbers). */
export function wireSignature(type: string, signature: Buffer): Buffer {
  if (!type.startsWith("ecdsa-")) return wireStrings(signatureAlgorithm(type), signature);
  let at = signature[1]! & 0x80 ? 3 : 2;
  const number = () => {
    const length = signature[at + 1]!;
    at += 2 + length;
    return signature.subarray(at - length, at);
  };
  return wireStrings(type, wireStrings(number(), number()));
}

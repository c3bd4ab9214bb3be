/** A public key's own words about itself (RFC 4253, 6.6; RFC 5656, 3.1; RFC 8709, 4), as ssh-keygen -l tells them. */
import { createHash } from "node:crypto";
import { keyType } from "./known-hosts.js";

/** As OpenSSH prints it: "SHA256:" and unpadded base64. */
export const fingerprint = (key: Buffer): string =>
  `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;

/** "ED25519", "RSA", "ECDSA", else the type's whole name */
export const keyFamily = (type: string): string =>
  type === "ssh-ed25519" ? "ED25519" : type === "ssh-rsa" ? "RSA" : type.replace(/^ecdsa-sha2-.*/, "ECDSA");

/** Bits of the curve or of the modulus; 0 where the key says neither. */
export function keyBits(key: Buffer): number {
  const type = keyType(key);
  if (type === "ssh-ed25519") return 256;
  const curve = /^ecdsa-sha2-nistp(\d+)$/.exec(type)?.[1];
  if (curve !== undefined) return Number(curve);
  if (type !== "ssh-rsa") return 0;
  // Type, exponent, modulus; the latter has a zero before it where its first bit is set
  let at = 4 + type.length;
  if (key.length < at + 4) return 0;
  at += 4 + key.readUInt32BE(at);
  if (key.length < at + 4) return 0;
  const modulus = key.subarray(at + 4, at + 4 + key.readUInt32BE(at));
  const first = modulus.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (modulus.length - first) * 8 - Math.clz32(modulus[first]!) + 24;
}

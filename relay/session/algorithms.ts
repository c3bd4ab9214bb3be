import type { HandoffCipher, HandoffMac } from "../../transport/session-state.js";

/** What one direction's keys look like; lengths in bytes. */
export interface KeyShape {
  readonly gcm: boolean;
  readonly key: number;
  readonly iv: number;
  /** 0 with GCM, which has no MAC key */
  readonly macKey: number;
  /** Length of the tag (GCM) or MAC behind each packet */
  readonly tag: number;
  /** Bytes at a packet's start that are not encrypted: the length field, or none where the MAC is not of the ETM kind */
  readonly clear: number;
}

/** The names carry their own numbers: "aes256-ctr", "hmac-sha2-512-etm@openssh.com". */
export function keyShape(cipher: HandoffCipher, mac: HandoffMac | null): KeyShape {
  const gcm = cipher[7] === "g";
  const macKey = gcm ? 0 : Number(mac?.slice(10, 13)) / 8;
  return {
    gcm,
    key: Number(cipher.slice(3, 6)) / 8,
    iv: gcm ? 12 : 16,
    macKey,
    tag: gcm ? 16 : macKey,
    clear: gcm || mac?.[13] ? 4 : 0,
  };
}

/** OpenSSL's name: "aes-256-ctr" for "aes256-ctr". */
export const opensslCipher = (cipher: HandoffCipher): string =>
  `aes-${cipher.slice(3, 6)}-${cipher.slice(7, 10)}`;
/** OpenSSL's name of a MAC's hash: "sha512" for "hmac-sha2-512-etm@openssh.com". */
export const macHash = (mac: HandoffMac): string => `sha${mac.slice(10, 13)}`;

import { HANDOFF_CIPHERS, HANDOFF_HOST_KEYS, HANDOFF_MACS } from "../session-state.js";

/** Names in the order in which they are offered (RFC 4253, 7.1). */
export interface AlgorithmLists {
  readonly kex: readonly string[];
  readonly serverHostKey: readonly string[];
  readonly cipher: readonly string[];
  readonly hmac: readonly string[];
}

/**
 * Curves first: a relay can renew keys with these. The groups are for servers that have no curves; sessions with them
 * stay end to end. Nothing with SHA-1; strict key exchange (CVE-2023-48795) is added by ssh2.
 */
export const KEX = [
  "curve25519-sha256",
  "curve25519-sha256@libssh.org",
  "ecdh-sha2-nistp256",
  "ecdh-sha2-nistp384",
  "ecdh-sha2-nistp521",
  "diffie-hellman-group16-sha512",
  "diffie-hellman-group14-sha256",
] as const;

/** No ChaCha20 (its packet lengths can't be read from outside ssh2), no CBC. */
export const CIPHERS = HANDOFF_CIPHERS;
/** The last two are for Dropbear, which has no ETM. */
export const MACS = HANDOFF_MACS;
/** RSA with SHA-2 only. */
export const HOST_KEYS = HANDOFF_HOST_KEYS;

/** The key type that stands in known_hosts for a host key algorithm: both RSA algorithms use ssh-rsa keys. */
export const keyTypeOf = (algorithm: string): string =>
  algorithm.startsWith("rsa-sha2-") ? "ssh-rsa" : algorithm;

/**
 * The lists to offer to a host whose keys of `knownTypes` are known: those come first, or the server would show a
 * key of another type and the host would look changed. `allowed` has lists that take the place of ours.
 */
export function algorithmsFor(
  knownTypes: ReadonlySet<string>,
  allowed: Partial<AlgorithmLists> = {},
): AlgorithmLists {
  const { kex = KEX, cipher = CIPHERS, hmac = MACS, serverHostKey = HOST_KEYS } = allowed;
  const known = serverHostKey.filter((algorithm) => knownTypes.has(keyTypeOf(algorithm)));
  const others = serverHostKey.filter((algorithm) => !knownTypes.has(keyTypeOf(algorithm)));
  return { kex, serverHostKey: [...known, ...others], cipher, hmac };
}

/**
 * The state of a live SSH session (RFC 4253, RFC 4254) at a packet border: what a controller exports from ssh2 and
 * a relay resumes from. It holds the session's keys: sealed in the link that it crosses, wiped after use.
 */

/** Ciphers that a handed-over session may use; MACs matter to CTR only. */
export const HANDOFF_CIPHERS = [
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
  "aes128-ctr",
  "aes192-ctr",
  "aes256-ctr",
] as const;
/**
 * The last two are for servers without ETM (Dropbear, which has no GCM either): there the packet's length is encrypted
 * too, so that a packet border shows to the cipher's owner only.
 */
export const HANDOFF_MACS = [
  "hmac-sha2-256-etm@openssh.com",
  "hmac-sha2-512-etm@openssh.com",
  "hmac-sha2-256",
  "hmac-sha2-512",
] as const;
/** Key exchanges that a relay can carry out, and host keys that it can verify, when a session asks for new keys. */
export const HANDOFF_KEX = [
  "curve25519-sha256",
  "curve25519-sha256@libssh.org",
  "ecdh-sha2-nistp256",
  "ecdh-sha2-nistp384",
  "ecdh-sha2-nistp521",
] as const;
export const HANDOFF_HOST_KEYS = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-256",
  "rsa-sha2-512",
] as const;
export type HandoffCipher = (typeof HANDOFF_CIPHERS)[number];
export type HandoffMac = (typeof HANDOFF_MACS)[number];

/** One direction's keys and counters as they stand for the *next* packet. */
export interface DirectionState {
  readonly cipher: HandoffCipher;
  readonly key: Uint8Array;
  /** GCM: 4 bytes fixed and the 8-byte invocation counter; CTR: the 16-byte counter block. Already advanced. */
  readonly iv: Uint8Array;
  /** null with GCM */
  readonly mac: HandoffMac | null;
  readonly macKey: Uint8Array | null;
  /** Packet sequence number (uint32) of the next packet */
  readonly sequence: number;
  /** Bytes under this key so far, for rekey accounting */
  readonly bytes: number;
}

/** What a later key exchange needs (RFC 4253, 7 and 9): no user key is among it. */
export interface RekeyState {
  readonly sessionId: Uint8Array;
  /** Identification lines without CR LF */
  readonly clientIdent: Uint8Array;
  readonly serverIdent: Uint8Array;
  /** The host key as the wire has it; the relay accepts this one only */
  readonly hostKey: Uint8Array;
  /** Negotiated names, offered again alone: one of HANDOFF_KEX, one of HANDOFF_HOST_KEYS */
  readonly kex: string;
  readonly hostKeyAlgorithm: string;
  readonly strict: boolean;
}

export interface SessionState {
  readonly version: 1;
  readonly outbound: DirectionState;
  readonly inbound: DirectionState;
  readonly rekey: RekeyState;
  /** Raw bytes of the server, counted from the pipe's first, that the controller has consumed (a packet border) */
  readonly consumed: number;
  /** `authenticating`: the signed request is sent, its answer will come to the relay; `authenticated`: it came already */
  readonly phase: "authenticating" | "authenticated";
}

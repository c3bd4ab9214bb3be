import { MopError } from "../../transport/errors.js";
import {
  type DirectionState,
  HANDOFF_CIPHERS,
  HANDOFF_HOST_KEYS,
  HANDOFF_KEX,
  HANDOFF_MACS,
  type SessionState,
} from "../../transport/session-state.js";
import type { Value } from "../../transport/types.js";
import { keyShape } from "./algorithms.js";

/** Longest host key taken, in bytes: RSA of 16,384 bits fits. */
const MAX_HOST_KEY = 4096;
/** RFC 4253, 4.2: 255 with CR LF */
const MAX_IDENT = 253;

/** Takes the fields out of one map of the state, each checked; what doesn't fit is refused by its name. */
function fieldsOf(value: Value | undefined, path: string) {
  const refuse = (name: string): never => {
    const field = `${path}${name}`;
    throw new MopError(
      "HANDOFF_REFUSED",
      `the handed-over session is refused: ${field} is missing or out of range`,
    );
  };
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) refuse("state");
  const get = (name: string, fits: (field: Value | undefined) => boolean): Value | undefined => {
    const field = (value as { readonly [key: string]: Value | undefined })[name];
    return fits(field) ? field : refuse(name);
  };
  const bytes = (name: string, min: number, max = min): Uint8Array =>
    Uint8Array.from(
      get(
        name,
        (field) => field instanceof Uint8Array && field.length >= min && field.length <= max,
      ) as Uint8Array,
    );
  return {
    bytes,
    map: (name: string) =>
      fieldsOf(
        get(name, () => true),
        `${name}.`,
      ),
    count: (name: string, max = Number.MAX_SAFE_INTEGER): number =>
      get(
        name,
        (field) => Number.isInteger(field) && (field as number) >= 0 && (field as number) <= max,
      ) as number,
    oneOf: <Name>(name: string, names: readonly Name[]): Name =>
      get(name, (field) => names.includes(field as Name)) as Name,
    ident(name: string): Uint8Array {
      const line = bytes(name, 4, MAX_IDENT);
      return /^SSH-[^\r\n\0]+$/.test(Buffer.from(line).toString("latin1")) ? line : refuse(name);
    },
  };
}

function direction(from: ReturnType<typeof fieldsOf>): DirectionState {
  const cipher = from.oneOf("cipher", HANDOFF_CIPHERS);
  const mac = from.oneOf("mac", keyShape(cipher, null).gcm ? [null] : HANDOFF_MACS);
  const shape = keyShape(cipher, mac);
  return {
    cipher,
    mac,
    key: from.bytes("key", shape.key),
    iv: from.bytes("iv", shape.iv),
    macKey: mac ? from.bytes("macKey", shape.macKey) : from.oneOf("macKey", [null]),
    sequence: from.count("sequence", 0xffffffff),
    bytes: from.count("bytes"),
  };
}

/**
 * A session's state as it came over the wire, its byte strings copied out of the message. Throws HANDOFF_REFUSED
 * at a wrong type or length, an unknown name or a counter out of range.
 */
export function decodeSessionState(value: Value): SessionState {
  const from = fieldsOf(value, "");
  const rekey = from.map("rekey");
  return {
    version: from.oneOf("version", [1] as const),
    outbound: direction(from.map("outbound")),
    inbound: direction(from.map("inbound")),
    rekey: {
      // A hash: SHA-1's 20 bytes up to SHA-512's 64
      sessionId: rekey.bytes("sessionId", 20, 64),
      clientIdent: rekey.ident("clientIdent"),
      serverIdent: rekey.ident("serverIdent"),
      hostKey: rekey.bytes("hostKey", 32, MAX_HOST_KEY),
      kex: rekey.oneOf("kex", HANDOFF_KEX),
      hostKeyAlgorithm: rekey.oneOf("hostKeyAlgorithm", HANDOFF_HOST_KEYS),
      strict: rekey.oneOf("strict", [false, true]),
    },
    consumed: from.count("consumed"),
    phase: from.oneOf("phase", ["authenticating", "authenticated"] as const),
  };
}

/** The state as the Value that `decodeSessionState` reads. It shares the keys' memory: encode it before they are wiped. */
export function encodeSessionState(state: SessionState): Value {
  return {
    ...state,
    outbound: { ...state.outbound },
    inbound: { ...state.inbound },
    rekey: { ...state.rekey },
  };
}

/** Overwrites the keys of a direction that won't be used any more. */
export function wipeKeys(state: DirectionState | undefined): void {
  if (state) for (const secret of [state.key, state.iv, state.macKey]) secret?.fill(0);
}

/** Overwrites the keys of a state that was refused, or sent on. */
export function wipeSessionState(state: SessionState): void {
  wipeKeys(state.outbound);
  wipeKeys(state.inbound);
}

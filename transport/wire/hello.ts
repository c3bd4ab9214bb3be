import { MopError } from "../errors.js";
import type { NodeId, NodeInfo, ParentHello, Value } from "../types.js";
import { PROTOCOL_VERSION } from "./constants.js";
import { decodeValue, encodeValue } from "./value.js";

/** A parent's hello as it is sent: with the way up, so that the child can tell who may talk to it. */
export interface PlacedHello extends ParentHello {
  /** Parent first, controller last */
  readonly ancestors: readonly NodeId[];
}

const MAX_TEXT = 1024;
const MAX_ANCESTORS = 64;

type Fields = { readonly [key: string]: Value | undefined };

function fields(body: Uint8Array): Fields {
  const value = decodeValue(body);
  if (value === null || typeof value !== "object" || Array.isArray(value) || value instanceof Uint8Array)
    throw new MopError("PROTOCOL", "A HELLO is a map");
  const map = value as Fields;
  // Before anything else is looked at: another version may have other fields.
  if (map.protocol !== PROTOCOL_VERSION)
    throw new MopError(
      "VERSION",
      `The other side speaks protocol ${Number(map.protocol)}, this one ${PROTOCOL_VERSION}; both ends must run the same mop`,
    );
  return map;
}

function text(map: Fields, key: string): string {
  const value = map[key];
  if (typeof value !== "string" || value.length > MAX_TEXT)
    throw new MopError("PROTOCOL", `The HELLO's ${key} is no text of at most ${MAX_TEXT} characters`);
  return value;
}

function whole(map: Fields, key: string, min: number, max: number): number {
  const value = map[key];
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max)
    throw new MopError("PROTOCOL", `The HELLO's ${key} is no whole number from ${min} to ${max}`);
  return value;
}

const isId = (value: unknown): value is NodeId =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;

export const encodeNodeInfo = (info: NodeInfo): Buffer => encodeValue({ ...info });

/** Throws MopError (PROTOCOL, VERSION). */
export function readNodeInfo(body: Uint8Array): NodeInfo {
  const map = fields(body);
  const { key } = map;
  if (!(key instanceof Uint8Array)) throw new MopError("PROTOCOL", "The HELLO's key is no bytes");
  return {
    protocol: PROTOCOL_VERSION,
    runtime: text(map, "runtime"),
    platform: text(map, "platform"),
    arch: text(map, "arch"),
    pid: whole(map, "pid", 0, 0xffff_ffff),
    uid: whole(map, "uid", -1, 0xffff_ffff),
    user: text(map, "user"),
    hostname: text(map, "hostname"),
    key,
  };
}

export const encodeParentHello = (hello: PlacedHello): Buffer => encodeValue({ ...hello });

/** Throws MopError (PROTOCOL, VERSION). */
export function readParentHello(body: Uint8Array): PlacedHello {
  const map = fields(body);
  const { ancestors } = map;
  if (
    !Array.isArray(ancestors) ||
    ancestors.length === 0 ||
    ancestors.length > MAX_ANCESTORS ||
    !ancestors.every(isId)
  )
    throw new MopError("PROTOCOL", "The HELLO's ancestors are no list of node ids");
  return {
    protocol: PROTOCOL_VERSION,
    id: whole(map, "id", 1, 0xffff_fffe),
    run: text(map, "run"),
    heartbeatMs: whole(map, "heartbeatMs", 1, 3_600_000),
    deadAfterMs: whole(map, "deadAfterMs", 1, 3_600_000),
    ancestors,
  };
}

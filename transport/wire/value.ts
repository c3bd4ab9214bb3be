import { Decoder } from "cbor-x/decode";
import { Encoder } from "cbor-x/encode";
import { MopError } from "../errors.js";
import type { Value } from "../types.js";
import { MAX_DEPTH, MAX_KEYS } from "./constants.js";
import { scan } from "./scan.js";

/** What cbor-x knows beyond its own type declarations. */
interface CborOptions {
  readonly useRecords: false;
  readonly mapsAsObjects: true;
  readonly tagUint8Array: false;
  readonly int64AsNumber: true;
  readonly copyBuffers: true;
}
const OPTIONS: CborOptions = {
  useRecords: false,
  mapsAsObjects: true,
  tagUint8Array: false,
  int64AsNumber: true,
  copyBuffers: true,
};

// Stateless between calls as these options have it; creating one compiles a dozen closures.
const encoder = new Encoder({ ...OPTIONS });
const decoder = new Decoder({ ...OPTIONS });

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** A Value in CBOR (RFC 8949, without tags). Throws MopError (BAD_ARGUMENT) for what is none. */
export function encodeValue(value: Value): Buffer {
  const encoded = encoder.encode(plain(value, 0));
  // cbor-x hands out slices of one growing buffer: a copy keeps that from being held by what waits in queues.
  return Buffer.from(encoded);
}

/** The Value in `bytes`, all of it. Throws MopError (PROTOCOL). The result shares no memory with `bytes`. */
export function decodeValue(bytes: Uint8Array): Value {
  scan(bytes);
  // A view of its own: cbor-x leaves a property on what it is given.
  const decoded: unknown = decoder.decode(bytes.subarray());
  return decoded === undefined ? null : (decoded as Value);
}

/**
 * A copy that is nothing but data: properties that are undefined left out, lone surrogates replaced (they have no
 * UTF-8, the other side would call the whole value malformed).
 */
function plain(value: unknown, depth: number): Value {
  switch (typeof value) {
    case "string":
      return value.replace(LONE_SURROGATE, "\ufffd");
    case "number":
    case "boolean":
      return value;
    case "undefined":
      return null;
    case "object":
      break;
    default:
      throw new MopError("BAD_ARGUMENT", `A ${typeof value} can't be sent`);
  }
  if (value === null) return null;
  if (value instanceof Uint8Array) return value;
  if (depth >= MAX_DEPTH)
    throw new MopError("BAD_ARGUMENT", `A value nested deeper than ${MAX_DEPTH} can't be sent`);
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw new MopError("BAD_ARGUMENT", `A ${value.constructor.name} can't be sent, only plain objects can`);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  if (entries.length > MAX_KEYS)
    throw new MopError("BAD_ARGUMENT", `An object of more than ${MAX_KEYS} keys can't be sent`);
  const copy: Record<string, Value> = {};
  for (const [key, item] of entries) {
    const name = key.replace(LONE_SURROGATE, "\ufffd");
    if (name === "__proto__" || name === "constructor" || name === "prototype")
      throw new MopError("BAD_ARGUMENT", `An object with the key ${name} can't be sent`);
    copy[name] = plain(item, depth + 1);
  }
  return copy;
}

import { MopError } from "../errors.js";
import type { Value } from "../types.js";
import { MAX_DEPTH, MAX_KEYS } from "./constants.js";

/** Keys that mean more than a key to JavaScript. */
const isForbidden = (key: string): boolean => /^(__proto__|constructor|prototype)$/.test(key);

/** A Value in CBOR (RFC 8949): definite lengths, shortest heads. Throws MopError (BAD_ARGUMENT) for what is none. */
export function encode(value: Value): Buffer {
  let out = Buffer.allocUnsafeSlow(256);
  let length = 0;

  /** Makes room for `bytes` more, perhaps in a new `out`, and returns where they go. */
  const take = (bytes: number): number => {
    const at = length;
    length += bytes;
    if (length > out.length) {
      const larger = Buffer.allocUnsafeSlow(length * 2);
      out.copy(larger, 0, 0, at);
      out = larger;
    }
    return at;
  };
  const byte = (value: number): void => {
    const at = take(1);
    out[at] = value;
  };
  const head = (major: number, n: number): void => {
    const bits = major << 5;
    if (n < 24) {
      byte(bits | n);
      return;
    }
    const power = n < 0x100 ? 0 : n < 0x10000 ? 1 : n < 0x1_0000_0000 ? 2 : 3;
    byte(bits | (24 + power));
    const at = take(1 << power);
    if (power === 3) out.writeBigUInt64BE(BigInt(n), at);
    else out.writeUIntBE(n, at, 1 << power);
  };
  const text = (chars: string): void => {
    const bytes = Buffer.byteLength(chars);
    head(3, bytes);
    const at = take(bytes);
    // Writes U+FFFD for a lone surrogate, which has no UTF-8.
    out.write(chars, at);
  };
  const item = (one: unknown, depth: number): void => {
    if (one === null || one === undefined) byte(0xf6);
    else if (typeof one === "boolean") byte(one ? 0xf5 : 0xf4);
    else if (typeof one === "string") text(one);
    else if (typeof one === "number") {
      if (!Number.isSafeInteger(one) || Object.is(one, -0)) {
        byte(0xfb);
        const at = take(8);
        out.writeDoubleBE(one, at);
      } else if (one < 0) head(1, -1 - one);
      else head(0, one);
    } else if (typeof one !== "object") refuse(`A ${typeof one}`);
    else if (one instanceof Uint8Array) {
      head(2, one.length);
      const at = take(one.length);
      out.set(one, at);
    } else if (depth === MAX_DEPTH) refuse(`A value nested deeper than ${MAX_DEPTH}`);
    else if (Array.isArray(one)) {
      head(4, one.length);
      for (const element of one) item(element, depth + 1);
    } else map(one, depth + 1);
  };
  const map = (object: object, depth: number): void => {
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
      refuse(`A ${object.constructor.name} instead of a plain object`);
    const entries = Object.entries(object).filter(([, one]) => one !== undefined);
    if (entries.length > MAX_KEYS) refuse(`An object of more than ${MAX_KEYS} keys`);
    head(5, entries.length);
    for (const [key, one] of entries) {
      // Two keys with lone surrogates could become the same key.
      if (isForbidden(key) || /[\ud800-\udfff]/u.test(key)) refuse(`An object with the key ${key}`);
      text(key);
      item(one, depth);
    }
  };

  item(value, 0);
  // A copy: what waits in queues shouldn't hold the spare room too.
  return Buffer.from(out.subarray(0, length));
}

/**
 * The Value that `bytes` are, in one pass; it shares no memory with them. Takes RFC 8949's plain data only and throws
 * MopError (PROTOCOL) for the rest: tags, indefinite lengths, unsafe integers, keys that aren't text, are doubled or
 * reach into prototypes, text that isn't UTF-8, nesting past MAX_DEPTH, bytes behind the end. Counts and lengths
 * are compared with what is left before anything is allocated for them.
 */
export function decode(bytes: Uint8Array): Value {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;

  /** Moves past `count` bytes that must be there and returns where they start. */
  const take = (count: number): number => {
    if (count > input.length - at) fail("truncated");
    const start = at;
    at += count;
    return start;
  };
  const argument = (info: number): number => {
    if (info < 24) return info;
    if (info > 27) fail("indefinite or reserved length");
    if (info < 27) return input.readUIntBE(take(1 << (info - 24)), 1 << (info - 24));
    // Exact up to 2^53; past it close enough to be refused.
    return Number(input.readBigUInt64BE(take(8)));
  };
  const text = (size: number): string => {
    const start = take(size);
    const chars = input.toString("utf8", start, at);
    // What isn't UTF-8 is read as U+FFFD, and then written as other bytes than it was read from.
    if (chars.includes("\ufffd") && !Buffer.from(chars).equals(input.subarray(start, at)))
      fail("text is not UTF-8");
    return chars;
  };
  const item = (depth: number): Value => {
    const initial = input[take(1)]!;
    const major = initial >> 5;
    if (major === 7) return simple(initial);
    const n = argument(initial & 31);
    if (major < 2) {
      if (n > Number.MAX_SAFE_INTEGER - major) fail("integer out of the safe range");
      return major === 0 ? n : -1 - n;
    }
    if (major === 2) return Uint8Array.prototype.slice.call(input, take(n), at);
    if (major === 3) return text(n);
    if (major === 6) fail("tag");
    if (n * (major - 3) > input.length - at) fail("truncated");
    if (depth === MAX_DEPTH) fail(`nested deeper than ${MAX_DEPTH}`);
    if (major === 5) return map(n, depth + 1);
    const array: Value[] = [];
    for (let i = 0; i < n; i++) array.push(item(depth + 1));
    return array;
  };
  const map = (count: number, depth: number): Value => {
    if (count > MAX_KEYS) fail(`more than ${MAX_KEYS} keys`);
    const object: Record<string, Value> = {};
    for (let i = 0; i < count; i++) {
      const initial = input[take(1)]!;
      if (initial >> 5 !== 3) fail("a key is not text");
      const key = text(argument(initial & 31));
      if (isForbidden(key)) fail(`key ${key}`);
      object[key] = item(depth);
    }
    if (Object.keys(object).length < count) fail("a key is doubled");
    return object;
  };
  const simple = (initial: number): Value => {
    if (initial === 0xf4) return false;
    if (initial === 0xf5) return true;
    // undefined is null to us
    if (initial === 0xf6 || initial === 0xf7) return null;
    if (initial === 0xf9) return half(input.readUInt16BE(take(2)));
    if (initial === 0xfa) return input.readFloatBE(take(4));
    if (initial === 0xfb) return input.readDoubleBE(take(8));
    return fail("a break or an unknown simple value");
  };

  const value = item(0);
  if (at < input.length) fail("bytes behind its end");
  return value;
}

/** A binary16 (RFC 8949, appendix D). */
function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size =
    exponent === 31
      ? fraction === 0
        ? Number.POSITIVE_INFINITY
        : Number.NaN
      : exponent === 0
        ? fraction * 2 ** -24
        : (fraction + 1024) * 2 ** (exponent - 25);
  return bits >> 15 ? -size : size;
}

function refuse(what: string): never {
  throw new MopError("BAD_ARGUMENT", `${what} can't be sent`);
}

function fail(what: string): never {
  throw new MopError("PROTOCOL", `Bad value: ${what}`);
}

import { MopError } from "../errors.js";
import { MAX_DEPTH, MAX_KEYS } from "./constants.js";
import { isUtf8 } from "./utf8.js";

/** Keys that mean more than a key to JavaScript. */
const FORBIDDEN_KEYS = new Set(["__proto__", "constructor", "prototype"]);

interface Level {
  /** Items still to come; of a map keys and values both count */
  left: number;
  /** Keys seen, for a map */
  readonly keys: Set<string> | undefined;
}

const fail = (what: string): never => {
  throw new MopError("PROTOCOL", `Bad value: ${what}`);
};

/**
 * Walks one encoded Value before the decoder sees it and throws MopError (PROTOCOL) for all that a Value can't be:
 * tags, indefinite lengths, unsafe integers, keys that aren't text, are doubled or reach into prototypes, text that
 * isn't UTF-8, nesting past MAX_DEPTH, counts and lengths past the end, bytes behind the end. Iterative; allocates
 * no more than the keys that are there.
 */
export function scan(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const levels: Level[] = [];
  let at = 0;

  const argument = (info: number): number => {
    if (info < 24) return info;
    if (info > 27) return fail(info === 31 ? "indefinite length" : `reserved additional information ${info}`);
    const size = 1 << (info - 24);
    if (size > bytes.length - at) return fail("truncated");
    const start = at;
    at += size;
    if (size === 1) return view.getUint8(start);
    if (size === 2) return view.getUint16(start);
    if (size === 4) return view.getUint32(start);
    return view.getUint32(start) * 0x1_0000_0000 + view.getUint32(start + 4);
  };

  do {
    if (at >= bytes.length) fail("truncated");
    const level = levels[levels.length - 1];
    const isKey = level?.keys !== undefined && level.left % 2 === 0;
    if (level) level.left--;
    const initial = bytes[at++]!;
    const major = initial >> 5;
    const info = initial & 0x1f;
    if (isKey && major !== 3) fail("a key is not text");
    if (major === 7) {
      simple(info);
    } else {
      const n = argument(info);
      if (major === 2 || major === 3) {
        if (n > bytes.length - at) fail("truncated");
        const text = bytes.subarray(at, at + n);
        at += n;
        if (major === 3 && !isUtf8(text)) fail("text is not UTF-8");
        if (isKey) addKey(level!.keys!, text);
      } else if (major === 4 || major === 5) {
        if (n * (major - 3) > bytes.length - at) fail("truncated");
        if (major === 5 && n > MAX_KEYS) fail(`more than ${MAX_KEYS} keys`);
        if (levels.length >= MAX_DEPTH) fail(`nested deeper than ${MAX_DEPTH}`);
        levels.push({ left: n * (major - 3), keys: major === 5 ? new Set() : undefined });
      } else if (major === 6) {
        fail("tag");
      } else if (n > Number.MAX_SAFE_INTEGER - major) {
        fail("integer out of the safe range");
      }
    }
    while (levels.length > 0 && levels[levels.length - 1]!.left === 0) levels.pop();
  } while (levels.length > 0);
  if (at !== bytes.length) fail("bytes behind its end");

  function simple(info: number): void {
    if (info >= 20 && info <= 23) return; // false, true, null, undefined
    if (info < 25 || info > 27) fail(`simple value ${info}`);
    const size = 1 << (info - 24);
    if (size > bytes.length - at) fail("truncated");
    at += size;
  }
}

function addKey(keys: Set<string>, text: Uint8Array): void {
  const key = Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString("utf8");
  if (FORBIDDEN_KEYS.has(key)) fail(`key ${key}`);
  if (keys.has(key)) fail("a key is doubled");
  keys.add(key);
}

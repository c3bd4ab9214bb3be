/** Seeded damage to values: what a confused or hostile sender might write. */
import type { Value } from "../../transport/types.js";

export interface SeededRandom {
  /** An integer from 0 to below `limit` */
  int(limit: number): number;
}

/** mulberry32: small, and the same everywhere for one seed. */
export function seeded(seed: number): SeededRandom {
  let state = seed >>> 0;
  return {
    int(limit) {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
    },
  };
}

const ODD: readonly Value[] = [
  null,
  true,
  0,
  -1,
  0.5,
  2 ** 32,
  2 ** 53,
  "",
  "aes256-ctr",
  [],
  {},
  new Uint8Array(0),
];

function damage(value: Value | undefined, random: SeededRandom): Value | undefined {
  const kind = random.int(6);
  if (kind === 0) return undefined;
  if (kind === 1) return ODD[random.int(ODD.length)]!;
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value);
    if (kind === 2) return bytes.subarray(0, random.int(bytes.length + 1));
    if (kind === 3) return Buffer.concat([bytes, bytes]);
    if (bytes.length > 0) bytes[random.int(bytes.length)]! ^= 1 << random.int(8);
    return bytes;
  }
  if (typeof value === "number") return kind < 4 ? value + random.int(100) - 50 : value * 2 ** random.int(60);
  if (typeof value === "string") return value.slice(0, random.int(value.length)) + (kind > 3 ? "x" : "");
  if (typeof value === "boolean") return !value;
  return value;
}

/** The value with one to three of its fields damaged, nested ones included. */
export function mutate(value: Value, random: SeededRandom): Value {
  const root = structuredClone(value) as { [key: string]: Value | undefined };
  for (let i = random.int(3); i >= 0; i--) {
    let map = root;
    let names = Object.keys(map);
    let name = names[random.int(names.length)]!;
    const inner = map[name];
    if (typeof inner === "object" && inner !== null && !(inner instanceof Uint8Array) && random.int(10) > 0) {
      map = inner as typeof root;
      names = Object.keys(map);
      if (names.length === 0) continue;
      name = names[random.int(names.length)]!;
    }
    map[name] = damage(map[name], random);
  }
  return root;
}

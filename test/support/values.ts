import fc from "fast-check";
import type { Value } from "../../transport/types.js";

const key = fc
  .string({ unit: "grapheme", maxLength: 40 })
  .filter((name) => !["__proto__", "constructor", "prototype"].includes(name));

/** Any Value: all types, sizes around the borders of CBOR's heads, some levels deep. */
export const anyValue: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.constantFrom(
      23,
      24,
      255,
      256,
      65_535,
      65_536,
      0xffff_ffff,
      0x1_0000_0000,
      -24,
      -25,
      -256,
      -257,
      -65_537,
    ),
    fc.double(),
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie("value"), { maxLength: 30 }),
    fc.dictionary(key, tie("value"), { maxKeys: 30, noNullPrototype: true }),
  ),
})).value;

/** Bytes with a few of them changed, taken out, doubled or put in. */
export const mutated = (source: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(
      source,
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 3 })), {
        minLength: 1,
        maxLength: 4,
      }),
    )
    .map(([bytes, changes]) => {
      const result = [...bytes];
      for (const [where, byte, how] of changes) {
        const at = where % (result.length + 1);
        if (how === 0) result.splice(at, 1);
        else if (how === 1) result.splice(at, 0, byte);
        else result[at] = byte;
      }
      return Uint8Array.from(result);
    });

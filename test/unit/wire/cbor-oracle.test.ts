import { Decoder } from "cbor-x/decode";
import { Encoder } from "cbor-x/encode";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MopError } from "../../../transport/errors.js";
import type { Value } from "../../../transport/types.js";
import { decodeValue, encodeValue } from "../../../transport/wire/value.js";
import { anyValue, mutated } from "../../support/values.js";

/** What cbor-x knows beyond its own type declarations: plain RFC 8949 data, no records, no tag for bytes. */
const OPTIONS = {
  useRecords: false,
  mapsAsObjects: true,
  tagUint8Array: false,
  int64AsNumber: true,
  copyBuffers: true,
};
const oracle = {
  encode: (value: Value): Buffer => Buffer.from(new Encoder(OPTIONS).encode(value)),
  // A copy: cbor-x leaves a property on what it is given.
  decode: (bytes: Uint8Array): unknown => new Decoder(OPTIONS).decode(Buffer.from(bytes)),
};

/** As both see it: undefined is null to us, and cbor-x writes -0 as the integer 0. */
function same(value: unknown): unknown {
  if (value === undefined) return null;
  if (Object.is(value, -0)) return 0;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(same);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, same(item)]));
  return value;
}

describe("our codec next to cbor-x", () => {
  it("writes what cbor-x reads as the same value", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(same(oracle.decode(encodeValue(value)))).toEqual(same(value));
      }),
      { numRuns: 1000 },
    );
  });

  it("reads what cbor-x writes as the same value", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(same(decodeValue(oracle.encode(value)))).toEqual(same(value));
      }),
      { numRuns: 1000 },
    );
  });

  it("takes no mutation that cbor-x refuses or reads as another value", () => {
    let taken = 0;
    fc.assert(
      fc.property(mutated(anyValue.map(encodeValue)), (bytes) => {
        let ours: Value;
        try {
          ours = decodeValue(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MopError);
          expect((error as MopError).code).toBe("PROTOCOL");
          return;
        }
        taken++;
        expect(same(oracle.decode(bytes))).toEqual(same(ours));
      }),
      { numRuns: 5000 },
    );
    // Else this compares nothing.
    expect(taken).toBeGreaterThan(100);
  });

  it("takes no random bytes that cbor-x refuses or reads as another value", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        let ours: Value;
        try {
          ours = decodeValue(bytes);
        } catch {
          return;
        }
        expect(same(oracle.decode(bytes))).toEqual(same(ours));
      }),
      { numRuns: 20_000 },
    );
  });

  it("writes integers and lengths in their shortest form, as cbor-x does", () => {
    for (const n of [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]) {
      if (n < 2 ** 32) {
        expect(encodeValue(n), `${n}`).toEqual(oracle.encode(n));
        expect(encodeValue(-1 - n), `${-1 - n}`).toEqual(oracle.encode(-1 - n));
      }
      expect(decodeValue(encodeValue(n))).toBe(n);
      expect(decodeValue(encodeValue(-n))).toBe(-n);
    }
    for (const size of [0, 23, 24, 255, 256, 65_535, 65_536])
      expect(encodeValue(Buffer.alloc(size)), `${size} bytes`).toEqual(oracle.encode(Buffer.alloc(size)));
  });
});

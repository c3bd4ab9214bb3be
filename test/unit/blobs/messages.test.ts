import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeLack,
  decodeOffer,
  decodeWant,
  encodeLack,
  encodeOffer,
  encodeWant,
} from "../../../relay/blobs/messages.js";
import { MAX_BLOB, MAX_SET } from "../../../relay/blobs/types.js";
import { MopError } from "../../../transport/errors.js";
import type { Value } from "../../../transport/types.js";
import { MAX_FRAME } from "../../../transport/wire/constants.js";
import { decodeValue, encodeValue } from "../../../transport/wire/value.js";

const hash = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString("hex"));
const hashes = fc.uniqueArray(hash, { maxLength: 50 });
const id = fc.nat(0xffff_ffff);
const overWire = (body: Value) => decodeValue(encodeValue(body));

describe("messages about blobs", () => {
  test("come out as they went in", () => {
    fc.assert(
      fc.property(
        hashes,
        fc.nat(MAX_BLOB),
        id,
        fc.boolean(),
        fc.array(id),
        (names, size, number, push, to) => {
          const offer = { id: number, push, to, blobs: new Map(names.map((name) => [name, size])) };
          expect(decodeOffer(overWire(encodeOffer(offer)))).toEqual(offer);
          const want = { received: number, hashes: names };
          expect(decodeWant(overWire(encodeWant(want)))).toEqual(want);
          const lack = { error: new MopError("BLOB_CORRUPT", "why"), hashes: names };
          expect(decodeLack(overWire(encodeLack(lack)))).toEqual(lack);
        },
      ),
    );
  });

  test("are refused with PROTOCOL, never with anything else, when they are something else", () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.array(fc.oneof(fc.nat(), fc.uint8Array()))), (body) => {
        for (const decode of [decodeOffer, decodeWant, decodeLack])
          try {
            decode(body as Value);
          } catch (error) {
            expect(error).toBeInstanceOf(MopError);
          }
      }),
      { numRuns: 2000 },
    );
    for (const body of [null, 1, [], [1], [1, new Uint8Array(33)], [1, "ab"], { length: 2 }])
      expect(() => decodeWant(body as Value)).toThrow(expect.objectContaining({ code: "PROTOCOL" }));
  });

  test("can't announce a blob that is larger than one may be", () => {
    const blobs = new Map([["ab".repeat(32), MAX_BLOB + 1]]);
    expect(() => decodeOffer(encodeOffer({ id: 1, push: false, to: [], blobs }))).toThrow(
      expect.objectContaining({ code: "BLOB_TOO_LARGE" }),
    );
  });

  test("fit a frame when they define the largest set for two thousand nodes", () => {
    const blobs = new Map(
      Array.from({ length: MAX_SET }, (_, index) => [index.toString(16).padStart(64, "0"), MAX_BLOB]),
    );
    const to = Array.from({ length: 2000 }, (_, index) => 100_000 + index);
    expect(encodeValue(encodeOffer({ id: 1, push: true, to, blobs })).length).toBeLessThan(MAX_FRAME);
  });
});

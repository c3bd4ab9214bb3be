import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteStringHead, SequenceSplitter } from "../../../transport/wire/cbor-sequence.js";
import { HEADER_BYTES, MAX_ITEM } from "../../../transport/wire/constants.js";
import { decodeValue, encodeValue } from "../../../transport/wire/value.js";
import { bytesInUse } from "../../support/memory.js";

const hex = (text: string): Buffer => Buffer.from(text, "hex");
const codeOf = (run: () => unknown): string => {
  try {
    run();
    return "fine";
  } catch (error) {
    return (error as { code: string }).code;
  }
};
const item = fc.uint8Array({ minLength: HEADER_BYTES, maxLength: 700 });

describe("the sequence of byte strings", () => {
  it.each([14, 23, 24, 255, 256, 65_535, 65_536, MAX_ITEM])("is CBOR: an item of %d bytes", (size) => {
    const bytes = Buffer.alloc(size, 5);
    const encoded = Buffer.concat([byteStringHead(size), bytes]);
    expect(encoded.equals(encodeValue(bytes))).toBe(true);
    expect(bytes.equals(decodeValue(encoded) as Buffer)).toBe(true);
    expect(new SequenceSplitter().push(encoded).map((found) => bytes.equals(found))).toEqual([true]);
  });

  it("gives the same items whole, byte by byte and in any pieces", () => {
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
        (items, cuts) => {
          const stream = Buffer.concat(items.flatMap((bytes) => [byteStringHead(bytes.length), bytes]));
          for (const sizes of [[stream.length || 1], [1], cuts]) {
            const splitter = new SequenceSplitter();
            const found: Uint8Array[] = [];
            for (let at = 0, turn = 0; at < stream.length; turn++) {
              const size = sizes[turn % sizes.length]!;
              found.push(...splitter.push(stream.subarray(at, at + size)));
              at += size;
            }
            expect(found.map((bytes) => Buffer.from(bytes).toString("hex"))).toEqual(
              items.map((bytes) => Buffer.from(bytes).toString("hex")),
            );
            expect(splitter.partial).toBe(false);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("knows at every byte whether it stands within an item", () => {
    const splitter = new SequenceSplitter();
    const stream = encodeValue(Buffer.alloc(300));
    for (let at = 0; at < stream.length; at++) {
      splitter.push(stream.subarray(at, at + 1));
      expect(splitter.partial, `after byte ${at}`).toBe(at < stream.length - 1);
    }
  });

  it("takes longer heads than needed, as RFC 8949 has them", () => {
    const body = Buffer.alloc(20, 1);
    for (const head of ["54", "5814", "590014", "5a00000014", "5b0000000000000014"])
      expect(new SequenceSplitter().push(Buffer.concat([hex(head), body])), head).toEqual([body]);
  });

  it.each([
    ["2^31 bytes", "5a80000000", "FRAME_TOO_LARGE"],
    ["2^32-1 bytes", "5affffffff", "FRAME_TOO_LARGE"],
    ["2^63 bytes", "5b8000000000000000", "FRAME_TOO_LARGE"],
    ["2^64-1 bytes", "5bffffffffffffffff", "FRAME_TOO_LARGE"],
    ["one byte more than a frame may have", "5a0004000f", "FRAME_TOO_LARGE"],
    ["no bytes", "40", "PROTOCOL"],
    ["one byte less than a header", "4d", "PROTOCOL"],
    ["an indefinite length", "5f", "PROTOCOL"],
    ["a reserved length", "5c", "PROTOCOL"],
    ["a number", "00", "PROTOCOL"],
    ["text", "6e", "PROTOCOL"],
    ["an array", "8e", "PROTOCOL"],
    ["a tag", "d818", "PROTOCOL"],
    ["null", "f6", "PROTOCOL"],
    ["what a shell prints", Buffer.from("bash: no job control").toString("hex"), "PROTOCOL"],
  ])("refuses %s before anything is kept for it", (_what, bytes, expected) => {
    expect(codeOf(() => new SequenceSplitter().push(hex(bytes)))).toBe(expected);
    expect(
      codeOf(() => {
        const splitter = new SequenceSplitter();
        for (const byte of hex(bytes)) splitter.push(Buffer.of(byte));
      }),
    ).toBe(expected);
  });

  it("takes no memory for a length that is only claimed", () => {
    const splitters = Array.from({ length: 2000 }, () => new SequenceSplitter());
    const before = process.memoryUsage().arrayBuffers;
    for (const splitter of splitters) splitter.push(hex("5a00040000ff"));
    // 2,000 claims of 256 kB are 512 MB.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
  });

  it("gives items that hold on to no more than four times their own memory", () => {
    const chunk = Buffer.concat([
      encodeValue(Buffer.alloc(20, 1)),
      encodeValue(Buffer.alloc(40_000, 2)),
      encodeValue(Buffer.alloc(20, 3)),
    ]);
    const found = new SequenceSplitter().push(chunk);
    expect(found.map((bytes) => [bytes.length, bytes[0]])).toEqual([
      [20, 1],
      [40_000, 2],
      [20, 3],
    ]);
    for (const bytes of found) expect(bytes.buffer.byteLength).toBeLessThanOrEqual(bytes.length * 4);
  });

  it("keeps little more than the bytes of an item that comes byte by byte", () => {
    const splitter = new SequenceSplitter();
    const before = bytesInUse();
    splitter.push(hex("5a0004000e"));
    // As a socket gives them: each in memory of its own
    for (let at = 0; at < MAX_ITEM - 1; at++) splitter.push(Buffer.allocUnsafeSlow(1));
    expect(splitter.partial).toBe(true);
    // A piece of its own for each byte would be 50 MB.
    expect(bytesInUse() - before).toBeLessThan(4 * MAX_ITEM);
    expect(splitter.push(Buffer.alloc(1))).toHaveLength(1);
  });
});

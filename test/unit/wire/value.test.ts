import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Value } from "../../../transport/types.js";
import { decodeValue, encodeValue } from "../../../transport/wire/value.js";
import { anyValue } from "../../support/values.js";

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ""), "hex");
const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "fine";
};

/** RFC 8949, appendix A: encoding, and the value where it is one of ours. */
const APPENDIX_A: readonly [string, unknown?][] = [
  ["00", 0],
  ["01", 1],
  ["0a", 10],
  ["17", 23],
  ["1818", 24],
  ["1819", 25],
  ["1864", 100],
  ["1903e8", 1000],
  ["1a000f4240", 1000000],
  ["1b000000e8d4a51000", 1000000000000],
  ["1bffffffffffffffff"],
  ["c249010000000000000000"],
  ["3bffffffffffffffff"],
  ["c349010000000000000000"],
  ["20", -1],
  ["29", -10],
  ["3863", -100],
  ["3903e7", -1000],
  ["f90000", 0],
  ["f98000", -0],
  ["f93c00", 1],
  ["fb3ff199999999999a", 1.1],
  ["f93e00", 1.5],
  ["f97bff", 65504],
  ["fa47c35000", 100000],
  ["fa7f7fffff", 3.4028234663852886e38],
  ["fb7e37e43c8800759c", 1e300],
  ["f90001", 2 ** -24],
  ["f90400", 0.00006103515625],
  ["f9c400", -4],
  ["fbc010666666666666", -4.1],
  ["f97c00", Number.POSITIVE_INFINITY],
  ["f97e00", Number.NaN],
  ["f9fc00", Number.NEGATIVE_INFINITY],
  ["fa7f800000", Number.POSITIVE_INFINITY],
  ["fa7fc00000", Number.NaN],
  ["faff800000", Number.NEGATIVE_INFINITY],
  ["fb7ff0000000000000", Number.POSITIVE_INFINITY],
  ["fb7ff8000000000000", Number.NaN],
  ["fbfff0000000000000", Number.NEGATIVE_INFINITY],
  ["f4", false],
  ["f5", true],
  ["f6", null],
  ["f7", null],
  ["f0"],
  ["f8ff"],
  ["c074323031332d30332d32315432303a30343a30305a"],
  ["c11a514b67b0"],
  ["c1fb41d452d9e8200000"],
  ["d74401020304"],
  ["d818456449455446"],
  ["d82076687474703a2f2f7777772e6578616d706c652e636f6d"],
  ["40", Buffer.alloc(0)],
  ["4401020304", Buffer.from([1, 2, 3, 4])],
  ["60", ""],
  ["6161", "a"],
  ["6449455446", "IETF"],
  ["62225c", '"\\'],
  ["62c3bc", "\u00fc"],
  ["63e6b0b4", "\u6c34"],
  ["64f0908591", "\ud800\udd51"],
  ["80", []],
  ["83010203", [1, 2, 3]],
  ["8301820203820405", [1, [2, 3], [4, 5]]],
  ["98190102030405060708090a0b0c0d0e0f101112131415161718181819", Array.from({ length: 25 }, (_, i) => i + 1)],
  ["a0", {}],
  ["a201020304"],
  ["a26161016162820203", { a: 1, b: [2, 3] }],
  ["826161a161626163", ["a", { b: "c" }]],
  ["a56161614161626142616361436164614461656145", { a: "A", b: "B", c: "C", d: "D", e: "E" }],
  ["5f42010243030405ff"],
  ["7f657374726561646d696e67ff"],
  ["9fff"],
  ["9f018202039f0405ffff"],
  ["9f01820203820405ff"],
  ["83018202039f0405ff"],
  ["83019f0203ff820405"],
  ["9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff"],
  ["bf61610161629f0203ffff"],
  ["826161bf61626163ff"],
  ["bf6346756ef563416d7421ff"],
];

describe("values", () => {
  it("decode RFC 8949 appendix A where it is plain data, and refuse the rest of it", () => {
    for (const [encoded, expected] of APPENDIX_A) {
      if (expected === undefined)
        expect(
          code(() => decodeValue(hex(encoded))),
          encoded,
        ).toBe("PROTOCOL");
      else expect(decodeValue(hex(encoded)), encoded).toEqual(expected === null ? null : expected);
    }
  });

  it("come back as they were sent", () => {
    fc.assert(
      fc.property(anyValue, (sent) => {
        expect(decodeValue(encodeValue(sent))).toEqual(sent);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["begins with a byte order mark", `\ufeff${"long text ".repeat(100)}`],
    ["is short and begins with one", "\ufeffab"],
    ["holds NUL and control characters", "\0\u0001\u001b[31m"],
    ["is long and not Latin", "水".repeat(10_000)],
    ["mixes both", `${"a".repeat(5000)}é${"b".repeat(5000)}😀`],
  ])("keep a text that %s", (_what, text) => {
    expect(decodeValue(encodeValue({ text, list: [text, text] }))).toEqual({ text, list: [text, text] });
  });

  it("take no memory of what they are decoded from", () => {
    const bytes = encodeValue({ small: Buffer.from([1, 2, 3]), large: Buffer.alloc(5000, 9) });
    const decoded = decodeValue(bytes) as { small: Uint8Array; large: Uint8Array };
    bytes.fill(0);
    expect([...decoded.small]).toEqual([1, 2, 3]);
    expect(decoded.large.every((byte) => byte === 9)).toBe(true);
  });

  it("leave out undefined properties and replace lone surrogates, so that the other side takes them", () => {
    expect(decodeValue(encodeValue({ a: undefined, b: "x\ud800y\udc00" }))).toEqual({ b: "x\ufffdy\ufffd" });
  });

  it.each<[string, unknown]>([
    ["a function", () => 1],
    ["a bigint", 1n],
    ["a Date", new Date()],
    ["a Map", new Map()],
    ["an Error", new Error("no")],
    ["a symbol", Symbol("no")],
    ["a __proto__ key", JSON.parse('{"__proto__": 1}')],
    ["a constructor key", { constructor: 1 }],
    ["a key with a lone surrogate", { "x\ud800": 1 }],
    ["65,536 keys", Object.fromEntries(Array.from({ length: 65_536 }, (_, i) => [`k${i}`, 0]))],
    ["nesting of 33", Array.from({ length: 33 }).reduce<unknown>((inner) => [inner], 1)],
  ])("refuse %s with BAD_ARGUMENT when encoded", (_what, bad) => {
    expect(code(() => encodeValue(bad as Value))).toBe("BAD_ARGUMENT");
  });

  it("carry 65,535 keys and 32 levels", () => {
    const keys = Object.fromEntries(Array.from({ length: 65_535 }, (_, i) => [`k${i}`, i]));
    expect(decodeValue(encodeValue(keys))).toEqual(keys);
    const deep = Array.from({ length: 32 }).reduce<Value>((inner) => [inner], 1);
    expect(decodeValue(encodeValue(deep))).toEqual(deep);
  });
});

describe("the strict decoder", () => {
  it.each([
    ["a tag", "c100"],
    ["a bignum", "c249010000000000000000"],
    ["a record tag", "d9dfff83198000816161"],
    ["a regular expression", "d81b8366526567457870626128"],
    ["an array of 2^32-1", "9affffffff"],
    ["an array of 2^64-1", "9bffffffffffffffff00"],
    ["a map of 2^31", "ba80000000"],
    ["a map of 2^64-1", "bbffffffffffffffff"],
    ["bytes of 2^31", "5a80000000"],
    ["bytes of 2^32-1", "5affffffff00"],
    ["bytes of 2^64-1", "5bffffffffffffffff00"],
    ["text of 2^64-1", "7bffffffffffffffff61"],
    ["an indefinite array", "9f01ff"],
    ["indefinite bytes", "5f4101ff"],
    ["a break alone", "ff"],
    ["a reserved length", "1c"],
    ["a doubled key", "a2616101616102"],
    ["a __proto__ key", "a1695f5f70726f746f5f5f01"],
    ["a constructor key", "a16b636f6e7374727563746f7201"],
    ["a prototype key", "a16970726f746f7479706501"],
    ["a number as key", "a10102"],
    ["bytes as key", "a1416102"],
    ["an array as key", "a18002"],
    ["a map that lacks its last value", "a16161"],
    ["invalid UTF-8", "62c328"],
    ["an overlong NUL", "62c080"],
    ["a surrogate in UTF-8", "63eda080"],
    ["a code point past U+10FFFF", "64f4908080"],
    ["text cut within a character", "62e6b0"],
    ["2^53", "1b0020000000000000"],
    ["-2^53-1", "3b0020000000000000"],
    ["a simple value", "f8ff"],
    ["two values", "0000"],
    ["nothing", ""],
  ])("refuses %s", (_what, bytes) => {
    expect(code(() => decodeValue(hex(bytes)))).toBe("PROTOCOL");
  });

  it("takes 32 levels and refuses 33, and a million", () => {
    expect(code(() => decodeValue(Buffer.concat([Buffer.alloc(32, 0x81), hex("00")])))).toBe("fine");
    expect(code(() => decodeValue(Buffer.concat([Buffer.alloc(33, 0x81), hex("00")])))).toBe("PROTOCOL");
    expect(code(() => decodeValue(Buffer.concat([Buffer.alloc(1_000_000, 0x81), hex("00")])))).toBe(
      "PROTOCOL",
    );
  });

  it("knows the largest safe integers", () => {
    expect(decodeValue(hex("1b001fffffffffffff"))).toBe(Number.MAX_SAFE_INTEGER);
    expect(decodeValue(hex("3b001ffffffffffffe"))).toBe(Number.MIN_SAFE_INTEGER);
  });

  it("refuses every prefix of a value", () => {
    const whole = encodeValue({ a: [1, 300, 70_000, 1.5, "text", Buffer.alloc(40)], b: { c: null } });
    for (let length = 0; length < whole.length; length++)
      expect(
        code(() => decodeValue(whole.subarray(0, length))),
        `${length} bytes`,
      ).toBe("PROTOCOL");
  });

  it("takes any bytes as a value or as PROTOCOL, and says the same twice", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const outcome = code(() => decodeValue(bytes));
        expect(["fine", "PROTOCOL"]).toContain(outcome);
        // What passed is data that can be sent again.
        if (outcome === "fine") expect(code(() => encodeValue(decodeValue(bytes)))).toBe("fine");
      }),
      { numRuns: 20_000 },
    );
  });
});

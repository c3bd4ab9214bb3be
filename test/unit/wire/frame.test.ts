import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  FRAME_RULES,
  type FrameName,
  FrameType,
  HEADER_BYTES,
  MAX_FRAME,
  MAX_ITEM,
} from "../../../transport/wire/constants.js";
import { decodeFrame, EMPTY, encodeFrame, type Frame, frameSize } from "../../../transport/wire/frame.js";
import { decodeValue } from "../../../transport/wire/value.js";
import { GOOD_BODIES } from "../../support/frames.js";

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return "fine";
  } catch (error) {
    return (error as { code: string }).code;
  }
};
const RULES = [...FRAME_RULES.values()];
const frame = (name: FrameName, body: Uint8Array, flags = 0): Frame => ({
  type: FrameType[name],
  flags,
  destination: 0xffff_ffff,
  source: 2,
  channel: 0x8000_0001,
  body,
});
const item = (sent: Frame): Uint8Array => decodeValue(encodeFrame(sent)) as Uint8Array;

describe("a frame", () => {
  it.each(RULES.map((rule) => [rule.name, rule] as const))(
    "%s keeps its fields, and its limits hold",
    (name, rule) => {
      const least = frame(name, Buffer.alloc(rule.minBody, 1));
      const most = frame(name, Buffer.alloc(rule.maxBody, 1));
      expect(decodeFrame(item(least))).toEqual(least);
      // Compared as buffers: toEqual takes half a second for 256 kB.
      expect(Buffer.compare(decodeFrame(item(most)).body, most.body)).toBe(0);
      expect(encodeFrame(most).length).toBe(frameSize(most));
      expect(codeOf(() => decodeFrame(item(frame(name, Buffer.alloc(rule.maxBody + 1)))))).toBe(
        "FRAME_TOO_LARGE",
      );
      if (rule.minBody > 0)
        expect(codeOf(() => decodeFrame(item(frame(name, Buffer.alloc(rule.minBody - 1)))))).toBe("PROTOCOL");
    },
  );

  it.each(RULES.map((rule) => rule.name))("%s within its header is refused at every byte", (name) => {
    const whole = item(frame(name, GOOD_BODIES[name]!));
    for (let length = 0; length < HEADER_BYTES; length++)
      expect(
        codeOf(() => decodeFrame(whole.subarray(0, length))),
        `${length} bytes`,
      ).toBe("PROTOCOL");
  });

  it("of an unknown type is refused", () => {
    const known = new Set<number>(Object.values(FrameType));
    for (let type = 0; type < 256; type++) {
      if (known.has(type)) continue;
      const bytes = Buffer.alloc(HEADER_BYTES + 4);
      bytes[0] = type;
      expect(
        codeOf(() => decodeFrame(bytes)),
        `type ${type}`,
      ).toBe("PROTOCOL");
    }
  });

  it("with flags is refused, but for the two of WINDOW", () => {
    for (const { name, minBody } of RULES)
      for (let flags = 1; flags < 256; flags++)
        expect(
          codeOf(() => decodeFrame(item(frame(name, Buffer.alloc(minBody), flags)))),
          `${name} with ${flags}`,
        ).toBe(name === "WINDOW" && flags < 4 ? "fine" : "PROTOCOL");
  });

  it("has a size that is known before it is encoded", () => {
    for (const size of [0, 8, 9, 10, 240, 241, 242, 65_521, 65_522, MAX_FRAME]) {
      const sent = frame("CALL", size === 0 ? EMPTY : Buffer.alloc(size));
      expect(encodeFrame(sent).length, `${size}`).toBe(frameSize(sent));
    }
  });

  it("of any bytes is a frame or a MopError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(["fine", "PROTOCOL", "FRAME_TOO_LARGE"]).toContain(codeOf(() => decodeFrame(bytes)));
      }),
      { numRuns: 5000 },
    );
    expect(["PROTOCOL", "FRAME_TOO_LARGE"]).toContain(codeOf(() => decodeFrame(Buffer.alloc(MAX_ITEM + 1))));
  });
});

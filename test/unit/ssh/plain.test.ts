import fc from "fast-check";
import { expect, it } from "vitest";
import { plain } from "../../../transport/ssh/plain.js";

it("a server's text in a message is one short line without control, direction or invisible characters", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
      expect(plain(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(plain(text).length).toBeLessThanOrEqual(200);
    }),
  );
  expect(plain("a\x1b]0;x\x07b\u009b31m\u061cc\u202ed\ufeffe")).toBe("a ]0;x b 31m c d e");
});

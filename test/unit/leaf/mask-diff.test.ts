import { expect, test } from "vitest";
import { unifiedDiff } from "../../../engine/leaf/files/diff.js";
import { maskDiff } from "../../../engine/leaf/mask-diff.js";
import { Masker } from "../../../engine/vocabulary/masker.js";

const masker = new Masker(["n3w-passw0rd", "first line\nsecond line"]);

test.each([
  [
    "a new secret, and the old one that it replaces",
    "a\npw = 'old'\nz\n",
    "a\npw = 'n3w-passw0rd'\nz\n",
    ["-pw = '********'", "+pw = '********'"],
  ],
  [
    "an old one in a line of another shape",
    "secret=old\n",
    "pw: n3w-passw0rd\n",
    ["-********", "+pw: ********"],
  ],
  [
    "a secret of several lines",
    "key:\n",
    "key:\nfirst line\nsecond line\n",
    [" key:", "+********", "+********"],
  ],
  ["a secret that goes", "pw = n3w-passw0rd\n", "pw = \n", ["-pw = ********", "+pw = "]],
  ["a secret in a line that stays", "n3w-passw0rd\nb\n", "n3w-passw0rd\nc\n", [" ********", "-b", "+c"]],
])("a diff does not show %s", (_what, before, after, expected) => {
  const diff = maskDiff(masker, unifiedDiff("/f", "/f", before, after));
  expect(diff.split("\n").slice(3).filter(Boolean)).toEqual(expect.arrayContaining(expected));
  for (const text of ["old", "n3w", "first line", "second line"]) expect(diff).not.toContain(text);
});

test("a changed value does not show what stood there before a secret", () => {
  expect(maskDiff(masker, "password: old -> n3w-passw0rd\nmode: 0644 -> 0600\n")).toBe(
    "password: ******** -> ********\nmode: 0644 -> 0600\n",
  );
});

test("other changes of the same file are shown as they are", () => {
  const before = "one\npw = old\nthree\nfour\n";
  const diff = maskDiff(masker, unifiedDiff("/f", "/f", before, "1\npw = old\nthree\nfour\nn3w-passw0rd\n"));
  expect(diff).toBe("--- /f\n+++ /f\n@@ -1,4 +1,5 @@\n-one\n+1\n pw = old\n three\n four\n+********\n");
});

import { expect, test } from "vitest";
import { compareVersions, fits } from "../../../../../engine/leaf/types/packages/versions.js";

test.each([
  ["1.0", "1.0", 0],
  ["1.0", "1.1", -1],
  ["1.9", "1.10", -1],
  ["1.010", "1.10", 0],
  ["1.0", "1.0.1", -1],
  ["1.0a", "1.0", 1],
  ["1.0a", "1.0b", -1],
  ["1.0.1", "1.0.a", 1],
  ["1.0~rc1", "1.0", -1],
  ["1.0~rc1", "1.0~rc2", -1],
  ["1.0^git1", "1.0", 1],
  ["1.0^git1", "1.0.1", -1],
  ["1:1.0", "2.0", 1],
  ["0:1.0", "1.0", 0],
  ["1.0-1", "1.0-2", -1],
  ["1.0-9", "1.0-10", -1],
  ["1.0", "1.0-10", 0],
  ["2.0-1", "1.0-2", 1],
] as const)("%s against %s is %i", (a, b, sign) => {
  expect(Math.sign(compareVersions(a, b))).toBe(sign);
  expect(Math.sign(compareVersions(b, a))).toBe(sign === 0 ? 0 : -sign);
});

test.each([
  ["1.2", "1.2", true],
  ["1.2", "1.2-3", true],
  ["1.2-3", "1.2-3", true],
  ["1.2", "2:1.2-3", true],
  ["2:1.2-3", "2:1.2-3", true],
  ["1.2", "1.20", false],
  ["1.2", "1.2.1", false],
  ["1.2*", "1.20", true],
  ["1.2.*", "1.2.9-1", true],
  ["1.2.*", "1.29", false],
  ["1+2", "1+2", true],
  ["1-3", "1.2-3", false],
  ["2:1.2", "3:1.2-3", false],
] as const)("%s asked for, %s there: %s", (wanted, there, does) => {
  expect(fits(wanted, there)).toBe(does);
});

import { expect, test } from "vitest";
import { freePort } from "../../support/ports.js";

test("free ports that are asked for at once are different ones, below those that the system gives to anybody", async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, freePort));
  expect(new Set(ports).size).toBe(50);
  expect(Math.max(...ports)).toBeLessThan(32_768);
});

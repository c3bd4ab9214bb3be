import { expect, test } from "vitest";
import { factLines } from "../../../cli/output/facts.js";
import { createStyle } from "../../../cli/output/style.js";

const lines = (facts: Record<string, unknown>) => factLines("l1", facts, createStyle(false)).join("\n");

test("facts are a line each, what is inside of one below it", () => {
  const facts = {
    kernel: "6.1",
    distribution: { id: "debian", like: ["a", "b"], codename: "" },
    mounts: [
      { path: "/", size: null },
      { path: "/srv", options: [] },
    ],
    custom: {},
    nested: [[1, 2], [[3]]],
  };
  expect(lines(facts)).toBe(`l1
  kernel: 6.1
  distribution:
    id: debian
    like: a, b
    codename: -
  mounts:
    - path: /
      size: -
    - path: /srv
      options: none
  custom: none
  nested:
    - 1, 2
    - - 3`);
});

test("what a host says steers no terminal", () => {
  expect(lines({ "na\nme": { "\x1b[2J": "\x1b]0;x\x07\u202e" } })).toBe(
    "l1\n  na\\nme:\n    \\x1b[2J: \\x1b]0;x\\x07\\u202e",
  );
});

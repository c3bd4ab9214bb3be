import { expect, test } from "vitest";
import { Events, shortenedDiff } from "../../../engine/leaf/events.js";
import { messageOf, positionIn } from "../../../engine/leaf/role/position.js";
import { wantedByTags } from "../../../engine/leaf/role/tags.js";
import { roleVariables, templateVariables } from "../../../engine/leaf/role/variables.js";
import type { LeafEvent } from "../../../engine/vocabulary/events.js";
import { MAX_EVENT } from "../../../relay/wing.js";
import { decodeValue } from "../../../transport/wire/value.js";

test.each([
  [[], null, [], [], true],
  [["a"], null, [], [], true],
  [["a"], ["a"], [], [], true],
  [["a"], ["b"], [], [], false],
  [[], ["b"], [], [], false],
  [[], ["b"], [], ["b"], true],
  [["a"], null, ["a"], [], false],
  [["a"], ["a"], ["a"], [], false],
  [["a"], null, ["b"], ["b"], false],
])(
  "a resource tagged %j runs under tags %j, skipTags %j, roleTags %j: %j",
  (own, tags, skipTags, roleTags, wanted) => {
    expect(wantedByTags(own, { tags, skipTags, roleTags })).toBe(wanted);
  },
);

test("variables: host, plan, local scope of a template, --extra-vars", () => {
  const vars = roleVariables({ vars: { a: 1, b: 1, c: 1 } }, { vars: { b: 2, c: 2 }, extraVars: { c: 3 } });
  expect(vars).toEqual({ a: 1, b: 2, c: 3 });
  expect(templateVariables(vars, { b: 4, c: 4 }, { c: 3 })).toEqual({ a: 1, b: 4, c: 3 });
});

function recorded() {
  const sent: { bytes: number; event: LeafEvent }[] = [];
  const events = new Events({
    emit: async (bytes) =>
      void sent.push({ bytes: bytes.length, event: decodeValue(bytes) as unknown as LeafEvent }),
  });
  return { sent, events };
}

test("an event with the largest texts fits, and says what was left out", async () => {
  const { sent, events } = recorded();
  const wide = "\u6f22".repeat(1_000_000);
  const diff = `${"\u6f22".repeat(100)}\n`.repeat(20_000);
  const changes = Array.from({ length: 1000 }, () => wide.slice(0, 1000));
  await events.resource("web", {
    type: "file",
    name: wide,
    status: "failed",
    changes,
    diff,
    error: wide,
    ms: 1,
  });
  await events.role("web", "failed", wide);
  for (const { bytes } of sent) expect(bytes).toBeLessThanOrEqual(MAX_EVENT);
  const [first] = sent;
  expect(first?.event).toHaveProperty(
    "diff",
    expect.stringMatching(/\n\[\d+ more lines of this diff are left out\]$/),
  );
  expect(first?.event).toHaveProperty("error", expect.stringMatching(/\[991808 characters left out\]$/));
});

test("output of any length arrives whole, no character torn", async () => {
  const { sent, events } = recorded();
  const text = `x${"\u{1f600}".repeat(30_000)}`;
  await events.output("stdout", text);
  expect(sent.length).toBeGreaterThan(1);
  expect(sent.map(({ event }) => (event.event === "output" ? event.text : "")).join("")).toBe(text);
});

test("flushed waits for all that was said", async () => {
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const events = new Events({ emit: () => gate });
  void events.output("stdout", "a");
  let flushed = false;
  const done = events.flushed().then(() => {
    flushed = true;
  });
  await new Promise(setImmediate);
  expect(flushed).toBe(false);
  release();
  await done;
});

test("a short diff stays as it is", () => {
  expect(shortenedDiff("-a\n+b\n", 100)).toBe("-a\n+b\n");
});

test.each([
  ["Error: x\n    at main (role.js:3:9)\n    at y (mop-wing.js:1:2)", "role.js:3:9"],
  ["Error: x\n    at role.js:3:9", "role.js:3:9"],
  ["Error: x\n    at f (yaml/package.js:1:1)\n    at async role.js:7:1", "role.js:7:1"],
  ["role.js:1\nexports = {{\n\nSyntaxError", undefined],
  ["Error: x\n    at f (other-role.js:3:9)", undefined],
  [undefined, undefined],
])("the place in a stack %j is %j", (stack, place) => {
  expect(positionIn(stack)).toBe(place);
});

test.each([
  [new Error("it broke"), "it broke"],
  [new TypeError("x is not a function"), "TypeError: x is not a function"],
  [new Error(""), "Error"],
  ["just text", "just text"],
  [undefined, "undefined was thrown"],
  [{ a: 1 }, "an object that is no Error was thrown"],
])("what was thrown is told in one sentence: %s", (thrown, sentence) => {
  expect(messageOf(thrown)).toBe(sentence);
});

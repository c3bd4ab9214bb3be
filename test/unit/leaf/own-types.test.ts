import { readdirSync } from "node:fs";
import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { LeafEvent } from "../../../engine/vocabulary/events.js";
import { TYPE_PARTS } from "../../../engine/vocabulary/parts.js";
import type { WingModule } from "../../../relay/wing.js";
import { bundleForTest, FakeHost, loadWing } from "../../support/fake-wing.js";

let wing: WingModule;
beforeAll(async () => {
  wing = loadWing(await bundleForTest("engine/leaf/main.ts"));
});

const play = (code: string) => new FakeHost().role(wing, `const mop = require("mop");\n${code}`);
const statuses = (events: readonly LeafEvent[]) =>
  events.flatMap((event) =>
    event.event === "resource" ? [`${event.type} ${event.name} ${event.status}`] : [],
  );

const COUNTER = `
let stands = 0;
const counter = mop.defineType({
  name: "counter",
  options: { to: { expected: "a number", test: (value) => typeof value === "number" } },
  async plan(context, name, { to }) {
    if (to > 9) throw new mop.Refusal("it can't count so far");
    return stands === to ? { actions: [], apply: async () => [] } : {
      actions: ["set"],
      extra: () => ({ stands }),
      async apply() { stands = to; return ["set"]; },
    };
  },
});
`;

test("a role's own type is a function of its context: planned, applied, reported like any other", async () => {
  const { events, result } = await play(`${COUNTER}
    exports.role = { types: { count: counter }, async main({ count, echo }) {
      const first = await count("a", { to: 3 });
      const second = await count("a", { to: 3 });
      await echo([first.changed, first.stands, second.changed].join());
    } };`);
  expect(result).toMatchObject({ status: "ok" });
  expect(statuses(events)).toEqual(["counter a changed", "counter a ok", "echo true,3,false ok"]);
});

test("its refusals and wrong options are sentences with its name", async () => {
  const { result } = await play(`${COUNTER}
    exports.role = { types: { count: counter }, main: ({ count }) => count("a", { to: 10 }) };`);
  expect(result).toMatchObject({ error: expect.stringContaining("counter a: it can't count so far") });
  const wrong = await play(`${COUNTER}
    exports.role = { types: { count: counter }, main: ({ count }) => count("a", { till: 1 }) };`);
  expect(wrong.result).toMatchObject({ error: expect.stringContaining('it has no option "till"') });
});

test("a list in the place of a name is the option `names` of the types that have it, and no name elsewhere", async () => {
  const { events, result } = await play(`
    const basket = mop.defineType({ name: "basket", options: { names: mop.rules.list },
      plan: async (context, name, { names }) => ({ actions: names ?? [name], apply: async () => names ?? [name] }) });
    exports.role = { types: { basket }, async main({ basket, directory }) {
      await basket(["apple", "pear"]);
      await basket("plum");
      await basket(["apple", 7], { ignoreErrors: true });
      await directory(["a", "b"]);
    } };`);
  expect(changes(events)).toEqual(["apple", "pear", "plum"]);
  expect(statuses(events)).toEqual([
    "basket apple, pear changed",
    "basket plum changed",
    "basket apple, 7 failed",
    "directory a, b failed",
  ]);
  expect(result).toMatchObject({
    error: expect.stringContaining("directory a, b: its name must be a string that is not empty"),
  });
});

const LAMP = `
const by = (name, fits) => ({ name, suits: () => fits, note: name });
const lamp = mop.defineType({
  name: "lamp", options: {}, providers: [by("oil", false), by("gas", true)],
  plan: async (context, name, options, provider) => ({ actions: [provider.note], apply: async () => [provider.note] }),
});
`;
const changes = (events: readonly LeafEvent[]) =>
  events.flatMap((event) => (event.event === "resource" ? event.changes : []));

test("a provider suits the host, or is named; one that the role brings comes first", async () => {
  const main = `main: async ({ lamp }) => { await lamp("a"); await lamp("a", { provider: "oil" }); }`;
  const plain = await play(`${LAMP} exports.role = { types: { lamp }, ${main} };`);
  expect(changes(plain.events)).toEqual(["gas", "oil"]);
  const own = await play(`${LAMP} exports.role = { types: { lamp }, ${main},
    providers: [mop.defineProvider("lamp", by("sun", true)), mop.defineProvider("door", by("wind", true))] };`);
  expect(changes(own.events)).toEqual(["sun", "oil"]);
  const none = await play(
    `${LAMP} exports.role = { types: { lamp }, main: ({ lamp }) => lamp("a", { provider: "x" }) };`,
  );
  expect(none.result).toMatchObject({
    error: expect.stringContaining('no provider "x"; its providers are oil, gas'),
  });
});

test("a program that a type runs speaks the locale C and fails with its last line", async () => {
  const { result, events } = await play(`
    const probe = mop.defineType({ name: "probe", options: {}, async plan(context, name) {
      const { stdout } = await context.exec("sh", ["-c", "echo $LC_ALL"]);
      await context.output("stdout", stdout);
      await context.exec("sh", ["-c", "echo first >&2; echo last >&2; exit 4"], { accept: [3] });
      return { actions: [], apply: async () => [] };
    } });
    exports.role = { types: { probe }, main: ({ probe }) => probe("a") };`);
  expect(events).toContainEqual(expect.objectContaining({ event: "output", text: "C\n" }));
  expect(result).toMatchObject({ error: expect.stringContaining("sh ended with status 4: last") });
});

test("each part's bundle has a source of its name", () => {
  const sources = readdirSync(path.join(import.meta.dirname, "../../../engine/leaf/parts"));
  for (const part of Object.keys(TYPE_PARTS)) expect(sources).toContain(`${part}.ts`);
  // A type stands in one part only.
  const names = Object.values(TYPE_PARTS).flat();
  expect(new Set(names).size).toBe(names.length);
});

test.each(Object.entries(TYPE_PARTS))(
  "the part %s has its types, under their own names",
  async (part, names) => {
    const { types } = (await import(`../../../engine/leaf/parts/${part}.ts`)) as {
      types: Record<string, { name: string }>;
    };
    expect(Object.keys(types).sort()).toEqual([...names].sort());
    for (const name of names) expect(types[name]?.name).toBe(name);
  },
);

import { beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import { checkPolicy } from "../../../../engine/controller/policy/check-policy.js";
import { gatherFacts } from "../../../../engine/leaf/facts/gather.js";
import type { LeafEvent } from "../../../../engine/vocabulary/events.js";
import {
  defineFact,
  GATHERED,
  type Mount,
  PLAIN,
  type RoleFacts,
} from "../../../../engine/vocabulary/facts.js";
import { definePolicy, defineRole } from "../../../../engine/vocabulary/language.js";
import type { WingModule } from "../../../../relay/wing.js";
import { bundleForTest, FakeHost, loadWing } from "../../../support/fake-wing.js";

let wing: WingModule;
let part: string;
beforeAll(async () => {
  wing = loadWing(await bundleForTest("engine/leaf/main.ts"));
  part = await bundleForTest("engine/leaf/parts/facts.ts");
});

async function play(main: string, own = "", check = false) {
  const host = new FakeHost();
  const parts = { facts: host.add(part) };
  const code = `const mop = require("mop"); let times = 0;
    exports.role = { facts: { ${own} }, async main({ facts, file, echo }) { const say = (x) => echo(JSON.stringify(x)); ${main} } };`;
  const { events, result } = await host.role(wing, code, { parts, check });
  return { result, said: said(events), asked: host.asked.filter((hash) => hash === parts.facts).length };
}
const said = (events: readonly LeafEvent[]): unknown[] =>
  events.flatMap((event) => (event.event === "output" ? [JSON.parse(event.text) as unknown] : []));

const COUNT = "count: mop.defineFact(() => ++times)";

describe("a role's facts", () => {
  test("own facts are gathered when they are asked for, once, and anew after invalidate()", async () => {
    const { said } = await play(
      `await say(times); await say([await facts.count(), await facts.count()]);
       facts.invalidate(); await say(await facts.count());`,
      COUNT,
    );
    expect(said).toEqual([0, [1, 1], 2]);
  });

  test("two who ask at the same time get the same", async () => {
    const { said } = await play("await say(await Promise.all([facts.count(), facts.count()]));", COUNT);
    expect(said).toEqual([[1, 1]]);
  });

  test("what failed is tried again when it is asked for again", async () => {
    const own = `odd: mop.defineFact(() => { if (++times === 1) throw new Error("not yet"); return times; })`;
    const { said } = await play(
      "const first = await facts.odd().catch((e) => e.message); await say([first, await facts.odd()]);",
      own,
    );
    expect(said).toEqual([["not yet", 2]]);
  });

  test("an own fact runs programs, reads files as planned, and has the other facts", async () => {
    const own = `release: mop.defineFact(async ({ exec, read, facts }) => ({
      out: (await exec("sh", ["-c", "echo $LC_ALL"])).stdout,
      text: await read("/nowhere-at-all/x"), planned: await read("/tmp/mop-never-there"),
      count: await facts.count(), kernel: facts.kernel === require("os").release() }))`;
    const { said } = await play(
      `await file("/tmp/mop-never-there", { content: "soon" }); await facts.release().then(console.log.bind(console, "%j"));`,
      `${own}, ${COUNT}`,
      true,
    );
    expect(said).toEqual([{ out: "C\n", planned: "soon", count: 1, kernel: true }]);
  });

  test("the built-in ones come in a part of their own, which is fetched when one is asked for", async () => {
    expect((await play("await say(facts.kernel.length > 0);")).asked).toBe(0);
    const { said, asked, result } = await play(
      `const mounts = await facts.mounts(); await facts.interfaces();
       await say([mounts.some(({ path }) => path === "/"), typeof (await facts.virtualization()).kind]);`,
    );
    expect(result).toMatchObject({ status: "ok" });
    expect([said, asked]).toEqual([[[true, "string"]], 1]);
  });

  test("files are tested as they are, and under check as they were planned", async () => {
    const tests = `await say([await facts.file.exists(at), await facts.file.isFile(at), await facts.file.mode(at),
      await facts.file.executable(at), await facts.file.size(at), await facts.file.checksum(at),
      await facts.file.isDirectory("/usr"), await facts.file.owner("/usr"), await facts.file.group("/usr"),
      await facts.file.executable("/bin/sh"), await facts.file.executable("/usr"), await facts.file.executable("/etc/passwd")]);`;
    const always = [true, "root", "root", true, false, false];
    const main = `const at = "/tmp/mop-never-there"; ${tests}
      await file(at, { content: "hello", mode: 0o750 }); ${tests}`;
    const { said } = await play(main, "", true);
    expect(said).toEqual([
      [false, false, null, false, null, null, ...always],
      [
        true,
        true,
        0o750,
        true,
        5,
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        ...always,
      ],
    ]);
    const sums = await play(
      `await say([await facts.file.checksum("/dev/null"), await facts.file.checksum("/etc/passwd", "md5")]);`,
    );
    expect(sums.said).toEqual([[null, expect.stringMatching(/^[0-9a-f]{32}$/)]]);
  });

  test("chance is from 0 up to 1, and chooses what is there", async () => {
    const { said } = await play(
      `const all = Array.from({ length: 200 }, () => facts.chaos.choice(["a", "b"]));
       const number = facts.chaos.random();
       let empty; try { facts.chaos.choice([]); } catch (error) { empty = error.message; }
       await say([[...new Set(all)].sort(), number >= 0 && number < 1, empty]);`,
    );
    expect(said).toEqual([[["a", "b"], true, "facts.chaos.choice() needs a list that is not empty"]]);
  });

  test("the plain facts are values, all of them", () => {
    expect(Object.keys(gatherFacts()).sort()).toEqual([...PLAIN].sort());
  });
});

test("own facts have their types in main, beside the built-in ones", () => {
  const role = defineRole({
    name: "typed",
    vars: { port: 1 },
    facts: { release: defineFact(async () => ({ tag: "v1" })), simple: defineFact(() => 3) },
    main({ facts, vars }) {
      expectTypeOf(facts.release).returns.resolves.toEqualTypeOf<{ tag: string }>();
      expectTypeOf(facts.simple).returns.resolves.toEqualTypeOf<number>();
      expectTypeOf(facts.mounts).returns.resolves.toEqualTypeOf<readonly Mount[]>();
      expectTypeOf(facts.kernel).toEqualTypeOf<string>();
      expectTypeOf(vars.port).toExtend<number>();
      // @ts-expect-error -- there is no such fact
      void facts.nothing;
    },
  });
  expect(definePolicy({ roles: [{ role }] }).roles).toHaveLength(1);
  expectTypeOf<RoleFacts["custom"]>().returns.resolves.toBeObject();
});

test.each<[unknown, string]>([
  [{ kernel: defineFact(() => 1) }, 'its own fact "kernel" has a name that mop has already'],
  [{ mounts: defineFact(() => 1) }, 'its own fact "mounts" has a name that mop has already'],
  [{ file: defineFact(() => 1) }, 'its own fact "file" has a name that mop has already'],
  [{ mine: () => 1 }, 'its fact "mine" is none; make it with defineFact('],
  [[], "`facts` is no object of what defineFact() gave"],
])("a role with the facts %j is refused", (facts, error) => {
  const role = { ...defineRole({ name: "r", main() {} }), facts };
  expect(() => checkPolicy({ roles: [{ role }], "mop:kind": "policy" }, "policy.ts")).toThrow(error);
});

test("the names of gathered facts are those that the part has", async () => {
  const gatherers = await import("../../../../engine/leaf/parts/facts.js");
  expect(Object.keys(gatherers).sort()).toEqual([...GATHERED].sort());
});

import { describe, expect, it } from "vitest";
import { validate } from "../../../engine/controller/run/validate.js";
import { testPackage } from "./scripted.js";
import { rejection, tempFolder } from "./temp-folder.js";

const INVENTORY = { "inventory.toml": `[groups.web.hosts]\nl1 = "mop_host=127.0.0.1"\n` };

/** A policy whose `main` has its body on line 5. */
const policy = (
  body: string,
  context = "{ file, link, copyTree, archive, shell, script, echo, git, repository, service, vars, package: pkg }",
): string =>
  `import { definePolicy, defineRole } from "mop";
const site = defineRole({
  name: "site",
  async main(${context}) {
    ${body}
  },
});
export default definePolicy({ roles: [{ role: site }] });
`;

const validated = async (name: string, text: string, typeCheck = true) =>
  validate({
    typeCheck,
    policy: `${await tempFolder({ [name]: text, ...INVENTORY })}/${name}`,
    mop: await testPackage(),
  });

const faultOf = async (name: string, text: string, typeCheck = true): Promise<string> =>
  (await rejection(validated(name, text, typeCheck))).message.replace(/^.*\/(?=policy\.)/, "");

/** What is wrong, the call, and what is said of it after the place. */
const MISUSE = [
  ["an unknown option", `await file("/srv/a", { owned: "root" });`, /^28: .*'owned' does not exist in type/],
  [
    "a misspelt option",
    `await file("/srv/a", { contnt: "x" });`,
    /^28: .*'contnt' does not exist.*'content'/,
  ],
  ["an option of the wrong type", `await file("/srv/a", { mode: true });`, /^28: .*'true' is not assignable/],
  [
    "a wrong type below an option",
    `await shell("x", { env: { A: 1 } });`,
    /^31: .*'number' is not assignable/,
  ],
  ["a wrong element of a list", `await echo("x", { tags: ["a", 1] });`, /^35: .*'number' is not assignable/],
  ["options that are none", `await file("/srv/a", "0644");`, /^26: .*no properties in common/],
  ["a name of the wrong type", `await shell(1);`, /^17: .*'number' is not assignable.*'string'/],
  ["missing options", `await link("/srv/a");`, /^11: Expected 2 arguments, but got 1/],
  ["a missing option", `await git("/srv/a", { depth: 1 });`, /^25: .*'repo' is missing/],
  [
    "a value that is none of a few",
    `await service("a", { started: "yes" });`,
    /^26: .*'string' is not assignable/,
  ],
  ["an option of a type in a part", `await pkg("nginx", { lastest: true });`, /^26: .*'lastest'.*'latest'/],
] as const;

describe.each(["policy.ts", "policy.js"])("`mop validate` of %s refuses", (name) => {
  it.each(MISUSE)("%s, with file, line and column", async (_what, call, sentence) => {
    const [, rest] = /^policy\.\w+:5:(.*)$/.exec(await faultOf(name, policy(call))) ?? [];
    expect(rest).toMatch(sentence);
    expect(rest).toMatch(/\(TS\d+\)$/);
  });

  it.each([
    [`await file("/srv/a", { source: "files/gone" });`, 'the source "files/gone" does not exist'],
    [`await file("/srv/a", { template: "gone.j2" });`, 'the template "gone.j2" does not exist'],
    [`await archive("/srv/a", { source: "gone.tar.gz" });`, 'the source "gone.tar.gz" does not exist'],
    [`await copyTree("/srv/a", { source: "gone" });`, 'the source "gone" is no folder'],
    [`await script("scripts/gone.sh");`, 'the script "scripts/gone.sh" does not exist'],
    [
      `await repository("a", { url: "https://a.example", keySource: "gone.asc" });`,
      'the keySource "gone.asc" does not exist',
    ],
  ])("%s, which is not there, with file and line", async (call, sentence) => {
    const [, rest] = /^policy\.\w+:5:\d+: (.*)$/.exec(await faultOf(name, policy(call), false)) ?? [];
    expect(rest).toBe(`${sentence} below the policy's folder`);
  });
});

describe("in TypeScript", () => {
  it("options that are wrong in a variable are told by name", async () => {
    const text = policy(`const more = { mode: true }; await file("/srv/a", more);`);
    expect(await faultOf("policy.ts", text)).toMatch(
      /^policy\.ts:5:55: Argument of .*: Types of property 'mode' are incompatible: Type 'boolean' is not .*\(TS2345\)$/,
    );
  });
});

describe("in plain JavaScript", () => {
  it.each([
    ["resources of a context that has a name", `await context.file("/srv/a", { owned: "root" });`],
    ["resources of another name", `await put("/srv/a", { owned: "root" });`, "{ file: put }"],
    [
      "resources in functions of main",
      `const f = () => file("/srv/a", { owned: "root" }); await f();`,
      "{ file }",
    ],
  ])("%s are looked at", async (_what, body, context = "context") => {
    expect(await faultOf("policy.js", policy(body, context))).toMatch(
      /^policy\.js:5:\d+: .*'owned' does not/,
    );
  });

  it("nothing else is refused: what is computed, and what runs well without types", async () => {
    const body = `
      await file(vars.path, { mode: vars.mode, content: vars.text ?? "x" });
      const more = { owned: 1 };
      await file("/srv/a", { ...more, absent: true });
      let x = 1;
      x = "a";
      const own = (a) => a;
      own(1, 2);
      own.x = 1;
      await echo(own(x));
      JSON.stringify({}, null, { owned: 1 });
      structuredClone({}, { owned: 1 });
      await shell("x", { failedWhen: (result) => result.nope === 1 });`;
    expect((await validated("policy.js", policy(body))).roles).toHaveLength(1);
  });
});

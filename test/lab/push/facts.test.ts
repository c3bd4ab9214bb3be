import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FactsEvent } from "../../../engine/controller/run/gather-facts.js";
import { createLab, type Lab } from "../../support/lab.js";
import { built, type MopRun, mop } from "../../support/mop.js";
import { type PolicyFolder, policyFolder } from "../../support/policies.js";

const POLICY = `
import { defineFact, definePolicy, defineRole } from "mop";
import { suffix } from "./suffix.js";

const release = defineFact(async ({ exec, facts }) => {
  const { stdout } = await exec("echo", [facts.platform]);
  return { tag: stdout.trim() + suffix };
});

const site = defineRole({
  name: "site",
  facts: { release },
  async main({ facts, file, vars, echo }) {
    const { tag } = await facts.release();
    const root = (await facts.mounts()).find(({ path }) => path === "/");
    await file(\`\${vars.folder}/tag\`, { template: "tag.j2", vars: { tag, there: root !== undefined } });
    await echo(\`\${tag} \${await facts.file.exists("/")} \${tag.length > facts.chaos.random()}\`);
  },
});

export default definePolicy({ roles: [{ role: site, vars: { folder: "." } }] });
`;
const FILES = {
  "suffix.ts": 'export const suffix: string = "-one";\n',
  "tag.j2": "{{ tag }} {{ there }} {{ facts.platform }}\n",
};

const texts = ({ events }: MopRun) =>
  events.flatMap((event) => (event.event === "output" ? [event.text] : []));
const factsOf = ({ stdout }: MopRun) =>
  stdout
    .split("\n")
    .filter((line) => line.startsWith('{"event":"facts"'))
    .map((line) => JSON.parse(line) as FactsEvent);

describe.skipIf(!built)("facts of hosts behind two bastions", () => {
  let lab: Lab;
  let policy: PolicyFolder;
  beforeAll(async () => {
    lab = await createLab({ leaves: 2 });
    policy = policyFolder("", FILES);
    policy.write("policy.ts", POLICY.replace('"."', JSON.stringify(policy.folder)));
  });
  afterAll(async () => {
    await lab.close();
    policy.remove();
  });

  test("`mop facts` tells people facts alone: no role is run", async () => {
    const told = await mop(["facts", ...lab.options, "platform"]);
    expect(told.status, told.stderr).toBe(0);
    for (const name of lab.leaves)
      expect(told.stdout).toContain(`${name}\n  platform: ${process.platform}\n`);
    expect(told.stdout).not.toContain("role");
  });

  test("a role's own facts and the gathered ones work over push and in mop local, templates keep the plain ones", async () => {
    const words = [`${process.platform}-one true true\n`];
    const local = await mop(["local", policy.policy, "-o", "json"]);
    expect(local.status, local.stderr + local.stdout).toBe(0);
    expect(texts(local)).toEqual(words);
    const pushed = await mop(["push", policy.policy, ...lab.options, "-o", "json", "--check", "--diff"]);
    expect(pushed.status, pushed.stderr + pushed.stdout).toBe(0);
    expect(texts(pushed)).toEqual([...words, ...words]);
  });

  test("mop facts prints them: one JSON object a host, or only those that were named", async () => {
    const all = await mop(["facts", ...lab.options, "-o", "json"]);
    expect(all.status, all.stderr).toBe(0);
    expect(
      factsOf(all)
        .map(({ host }) => host)
        .sort(),
    ).toEqual([...lab.leaves].sort());
    for (const { facts } of factsOf(all)) {
      expect(facts).toMatchObject({
        platform: process.platform,
        virtualization: { kind: expect.any(String) },
      });
      expect(facts.mounts).toContainEqual(expect.objectContaining({ path: "/" }));
    }
    const [leaf = ""] = lab.leaves;
    const some = await mop([
      "facts",
      "kernel",
      "interfaces",
      ...lab.options,
      "--limit-hosts",
      leaf,
      "-o",
      "json",
    ]);
    expect(factsOf(some).map(({ host, facts }) => [host, Object.keys(facts)])).toEqual([
      [leaf, ["kernel", "interfaces"]],
    ]);
    const human = await mop(["facts", "platform", ...lab.options, "--limit-hosts", leaf]);
    expect(human.stdout).toMatch(new RegExp(`^${leaf}\n  platform: ${process.platform}\n\n  ${leaf}  1 ok `));
  });
});

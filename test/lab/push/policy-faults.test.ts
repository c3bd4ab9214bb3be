import { existsSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLab, type Lab } from "../../support/lab.js";
import { built, mop, resourcesOf, summaryOf } from "../../support/mop.js";
import { policyFolder, rolePolicy } from "../../support/policies.js";

describe.skipIf(!built)("what is wrong with a policy", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await createLab({ leaves: 2 });
  });
  afterAll(() => lab.close());

  const push = async (
    policy: string,
    files: Record<string, string> = {},
    args: readonly string[] = [],
    inventory: readonly string[] = lab.options,
  ) => {
    const shop = policyFolder(policy, files);
    try {
      return await mop(["push", shop.policy, ...inventory, "-o", "json", ...args]);
    } finally {
      shop.remove();
    }
  };

  /** Status 1, one sentence that fits, and no connection was made. */
  const expectFault = async (run: ReturnType<typeof push>, sentence: RegExp) => {
    const before = lab.link.connections;
    const { status, stderr, events } = await run;
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toMatch(/^\s+at .*\(.*:\d+:\d+\)/m);
    expect(status).toBe(1);
    expect(events.filter((event) => event.event !== "summary")).toEqual([]);
    expect(lab.link.connections).toBe(before);
  };

  test("a syntax error is told with its line, before anything is contacted", () =>
    expectFault(push(rolePolicy("const = ;")), /policy\.ts:\d+/));

  test.each([
    [
      "policy.ts",
      "an unknown option",
      "await file(`${vars.root}/x`, { mod: 1 });",
      /policy\.ts:8:\d+: .*'mod'/,
    ],
    ["policy.ts", "a wrong type", "await shell('x', { cwd: 1 });", /policy\.ts:8:\d+: .*'number'/],
    [
      "policy.js",
      "an unknown option",
      "await file(`${vars.root}/x`, { mod: 1 });",
      /policy\.js:8:\d+: .*'mod'/,
    ],
    ["policy.js", "a wrong type", "await shell('x', { cwd: 1 });", /policy\.js:8:\d+: .*'number'/],
    [
      "policy.ts",
      "a file that is missing",
      "await file('/x', { source: 'gone' });",
      /policy\.ts:8:\d+: .*"gone"/,
    ],
  ])(
    "`mop validate` of %s tells of %s with its line, and contacts nothing",
    async (name, _what, body, sentence) => {
      const shop = policyFolder("");
      const file = shop.write(name, rolePolicy(body));
      await expectFault(mop(["validate", file, ...lab.options, "-o", "json"]), sentence).finally(() =>
        shop.remove(),
      );
    },
  );

  test("a type error is told with its line", () =>
    expectFault(push(rolePolicy("await file(`${vars.root}/x`, { mod: 1 });")), /policy\.ts.*\d+.*mod/s));

  test("a missing template is told by its name", () =>
    expectFault(push(rolePolicy("await file(`${vars.root}/x`, { template: 'no.j2' });")), /no\.j2/));

  test("a policy file that is not there", async () => {
    await expectFault(mop(["push", "/nowhere/policy.ts", ...lab.options]), /\/nowhere\/policy\.ts/);
  });

  test("an option that doesn't exist, or has a value that can't be", async () => {
    await expectFault(push(rolePolicy(""), {}, ["--chekc"]), /--chekc/);
    await expectFault(push(rolePolicy(""), {}, ["--connect-timeout", "soon"]), /connect-timeout/);
  });

  test("a host that nobody knows in --limit-hosts", () =>
    expectFault(push(rolePolicy(""), {}, ["--limit-hosts", "l77"]), /l77/));

  test("an inventory that is not there, or is no TOML", async () => {
    await expectFault(push(rolePolicy(""), {}, [], ["-i", "/nowhere/inventory.toml"]), /\/nowhere/);
    const broken = policyFolder("", { "broken.toml": "[groups\n" });
    await expectFault(
      push(rolePolicy(""), {}, [], ["-i", path.join(broken.folder, "broken.toml")]),
      /broken\.toml/,
    );
    broken.remove();
  });

  test("an undefined variable fails the resource with template and line; the other hosts finish", async () => {
    const body =
      "await file(`${vars.root}/conf`, { template: 'conf.j2', vars: host.name === 'l1' ? { port: 1 } : {} });";
    const run = await push(rolePolicy(body), { "conf.j2": "# conf\nport = {{ port }}\n" });
    expect(run.status).toBe(2);
    expect(resourcesOf(run, "l2")).toEqual([
      expect.objectContaining({
        status: "failed",
        error: expect.stringMatching(/conf\.j2.*2.*port|port.*conf\.j2.*2/s),
      }),
    ]);
    expect(summaryOf(run).hosts.l1).toMatchObject({ changed: 1, failed: 0 });
    expect(existsSync(path.join(lab.host("l2").folder, "conf"))).toBe(false);
  });

  test("a failure on one host: the others finish the role, no later role starts", async () => {
    const source = `
import { definePolicy, defineRole } from "mop";
const one = defineRole({ name: "one", async main({ vars, host, shell, file }) {
  if (host.name === "l1") await shell("echo broken >&2; exit 3");
  await file(\`\${vars.root}/one\`, { content: "1" });
} });
const two = defineRole({ name: "two", async main({ vars, file }) {
  await file(\`\${vars.root}/two\`, { content: "2" });
} });
export default definePolicy({ roles: [{ role: one, groups: ["web"] }, { role: two, groups: ["web"] }] });
`;
    const run = await push(source);
    expect(run.status).toBe(2);
    expect(resourcesOf(run, "l1")).toEqual([
      expect.objectContaining({ type: "shell", status: "failed", error: expect.stringContaining("3") }),
    ]);
    expect(existsSync(path.join(lab.host("l2").folder, "one"))).toBe(true);
    expect(run.events.filter((event) => "role" in event && event.role === "two")).toEqual([
      { event: "stopped", role: "two", hosts: ["l2"], reason: "role one failed on l1" },
    ]);
  });

  test("control characters of a host don't reach the terminal", async () => {
    const shop = policyFolder(
      rolePolicy("await shell(`printf '\\\\033]0;owned\\\\007\\\\033[2J'; exit 1`, { ignoreErrors: true });"),
    );
    const run = await mop(["push", shop.policy, ...lab.options, "-v"]);
    shop.remove();
    expect(run.status, run.stderr).toBe(0);
    expect(run.stdout + run.stderr).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
  });
});

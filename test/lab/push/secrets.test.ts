import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLab, type Lab } from "../../support/lab.js";
import { built, mop, resourcesOf, summaryOf } from "../../support/mop.js";
import { type PolicyFolder, policyFolder } from "../../support/policies.js";

/** One from each place where a secret may come from. */
const SECRETS = {
  policy: "policy-s3cret-71",
  env: 'quoted "s3cret" of\nthe environment-72',
  extra: "extra-s3cret-73",
  made: "made-s3cret-on-the-leaf-74",
};
/** What must be nowhere: half of each is too much. */
const TELLTALES = ["policy-s3", "quoted ", "environment-72", "extra-s3", "made-s3cret", "s3cret"];

const POLICY = `
import { definePolicy, defineRole, secret } from "mop";

const site = defineRole({
  name: "site",
  vars: { policy: secret("policy-s3" + "cret-71"), env: secret(process.env.A_SECRET ?? ""), extra: "" },
  async main({ vars, file, shell, echo, directory }) {
    const at = \`\${vars.root}/secrets\`;
    await directory(at);
    await file(\`\${at}/app.conf\`, { template: "app.conf.j2", mode: 0o600 });
    const made = secret((await shell("printf %s-%s made s3cret-on-the-leaf-74", { readOnly: true })).stdout);
    await file(\`\${at}/\${vars.extra}\`, { content: made });
    await echo("policy {{ policy }}, made " + made);
    await shell('for part in "$A" "$B" "$C"; do printf %s "$part"; sleep 0.05; done; echo; printf %s "$ALL" | base64 >&2', {
      env: { A: vars.policy.slice(0, 5), B: vars.policy.slice(5, 9), C: vars.policy.slice(9), ALL: vars.env },
      readOnly: true,
    });
    console.error(JSON.stringify(vars));
    if (vars.fail) throw new Error(\`\${vars.extra} and \${made} are wrong\`);
  },
});

export default definePolicy({
  roles: [{ role: site, async afterContact(_, { error }) { if (error) throw new Error(\`\${error}: \${process.env.A_SECRET}\`); } }],
});
`;

describe.skipIf(!built)("a push with secrets", () => {
  let lab: Lab;
  let policy: PolicyFolder;
  const at = (name: string) => path.join(lab.host("l1").folder, name);
  const log = () => readFileSync(at(".mop/mop.log"), "utf8");
  const env = { A_SECRET: SECRETS.env };
  const push = (...args: string[]) =>
    mop(
      [
        "push",
        policy.policy,
        ...lab.options,
        "-e",
        `mop_secrets=extra extra=${SECRETS.extra}`,
        "-v",
        ...args,
      ],
      { env },
    );
  const expectNone = (text: string) => {
    // The role's own text says how it is made, and is no secret's
    const shown = text.replaceAll("s3cret-on-the-leaf-74", "");
    for (const part of TELLTALES) expect(shown).not.toContain(part);
    expect(shown).not.toContain(Buffer.from(SECRETS.env).toString("base64").slice(4, 20));
  };

  beforeAll(async () => {
    lab = await createLab({ leaves: 1 });
    policy = policyFolder(POLICY, {
      "app.conf.j2": "a = {{ policy }}\nb = '{{ env }}'\nc = {{ extra }}\nd = plain\n",
    });
  });
  afterAll(async () => {
    await lab.close();
    policy.remove();
  });

  test.each([["human"], ["json"]])(
    "shows them nowhere in %s output, though the host has them",
    async (output) => {
      rmSync(at("secrets"), { recursive: true, force: true });
      for (const more of [["--check"], [], ["-e", "fail=yes"]]) {
        const run = await push("--diff", "-o", output, ...more);
        expect(run.status, run.stderr).toBe(more.includes("fail=yes") ? 2 : 0);
        expectNone(run.stdout);
        expectNone(run.stderr);
        expect(run.stdout).toContain("d = plain");
        expect(run.stdout).toContain("policy ********, made ********");
        if (more.includes("fail=yes")) expect(run.stdout).toMatch(/\*{8} and \*{8} are wrong/);
        rmSync(at("secrets/app.conf"), { force: more.includes("--check"), recursive: false });
      }
      expect(readFileSync(at(`secrets/${SECRETS.extra}`), "utf8")).toBe(SECRETS.made);
    },
  );

  test("writes none of them into the leaf's log, which tells of both runs", () => {
    expectNone(log());
    expect(log()).toMatch(/ site changed file \S+\/secrets\/\*{8} \(create\)\n/);
    expect(log().match(/ site started\n/g)).toHaveLength(4);
    expect(log()).toMatch(/^\S+Z [0-9a-f]{4} \S+@\S+ site ended failed: /m);
  });

  test("`mop run` and `mop inventory` mask what the inventory names as secret", async () => {
    const named = policy.write(
      "inventory.json.toml",
      `[hosts.here.vars]\nmop_hop = "local"\nmop_secrets = "token"\ntoken = "inventory-s3cret-75"\nurl = "x:inventory-s3cret-75"\n`,
    );
    const ran = await mop([
      "run",
      "-i",
      named,
      "-F",
      "none",
      "-o",
      "json",
      "--",
      "printf inventory-; printf 's3cret-75 %s' over",
    ]);
    expect(ran.status, ran.stderr).toBe(0);
    expect(ran.events.map((event) => (event.event === "output" ? event.text : "")).join("")).toBe(
      "******** over",
    );
    const shown = await mop(["inventory", "-i", named, "-F", "none"]);
    expectNone(shown.stdout);
    expect(shown.stdout).toContain('url = "x:********"');
  });

  test("an error of the policy, or of the command line, has none of them", async () => {
    const bad = policyFolder(
      `import { secret } from "mop"; throw new Error("no " + secret(process.env.A_SECRET ?? ""));`,
    );
    const run = await mop(["validate", bad.policy, "-F", "none"], { env: { A_SECRET: "s3cret-of-the-day" } });
    bad.remove();
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/policy\.ts:1:\d+: .*no \*{8}/);
  });
});

describe.skipIf(!built)("push --verify", () => {
  let lab: Lab;
  let policy: PolicyFolder;
  beforeAll(async () => {
    lab = await createLab({ leaves: 2 });
    policy = policyFolder(`
import { definePolicy, defineRole } from "mop";
const site = defineRole({
  name: "site",
  async main({ vars, host, file, shell }) {
    await file(\`\${vars.root}/stable\`, { content: "the same\\n" });
    if (host.name === vars.restless) await shell(\`date >> \${vars.root}/dates\`);
  },
});
export default definePolicy({ roles: [{ role: site }] });
`);
  });
  afterAll(async () => {
    await lab.close();
    policy.remove();
  });
  const verify = (...args: string[]) => mop(["push", policy.policy, ...lab.options, "--verify", ...args]);

  test("fails with status 2 for a host where the second run changes anything, and names the resource", async () => {
    const run = await verify("-o", "json", "-e", "restless=l2");
    expect(run.status, run.stderr).toBe(2);
    expect(summaryOf(run).hosts.l1).toMatchObject({ changed: 1, failed: 0 });
    expect(summaryOf(run).hosts.l2).toMatchObject({ changed: 2, failed: 0, again: 1 });
    const verdict = run.events.find((event) => event.event === "role" && event.status === "failed");
    expect(verdict).toMatchObject({
      host: "l2",
      role: "site",
      pass: 2,
      error: expect.stringMatching(
        /^the second run changed again what the first had done: shell date >> \S+ \(run\)$/,
      ),
    });
    expect(resourcesOf(run).filter(({ pass }) => pass === 2)).toHaveLength(3);
  });

  test("tells people so, too", async () => {
    const run = await verify("-e", "restless=l2");
    expect(run.status).toBe(2);
    expect(run.stdout).toMatch(/^role site, once more$/m);
    expect(run.stdout).toMatch(/^ {2}l2 {2}changed again {2}shell date >> /m);
    expect(run.stdout).toMatch(/^ {2}l2 .*1 changed again$/m);
  });

  test("is content with a role that finds nothing more to do, and refuses --check", async () => {
    const run = await verify("-o", "json");
    expect(run.status, run.stderr).toBe(0);
    const refused = await verify("--check");
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/^mop: --verify runs for real, twice, which --check rules out/);
  });
});

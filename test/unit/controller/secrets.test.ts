import path from "node:path";
import { describe, expect, it } from "vitest";
import { describeInventory } from "../../../engine/controller/run/describe-inventory.js";
import { prepareRun } from "../../../engine/controller/run/prepare.js";
import type { RoleOrder, RolePlan } from "../../../engine/vocabulary/order.js";
import { secret } from "../../../engine/vocabulary/secret.js";
import { type Leaf, OK, runScripted, testPackage } from "./scripted.js";
import { rejection, tempFolder } from "./temp-folder.js";

/** A policy with one role on all hosts; `head` stands before it, `entry` in its entry. */
const policy = (entry = "", head = "", role = ""): string => `
import { definePolicy, defineRole, secret } from "mop";
${head}
const web = defineRole({ name: "web", ${role} async main() {} });
export default definePolicy({ roles: [{ role: web, ${entry} }] });
`;

const INVENTORY = `
[groups.web.hosts]
l1 = { db_password = "l1-p4ssword", pin = 4711, plain = "of l1" }
l2 = "db_password=l2-p4ssword"
[groups.web.vars]
mop_secrets = ["db_password", "pin"]
`;

async function run(
  files: Record<string, string>,
  options = {},
  script: (leaf: Leaf) => void | Promise<void> = () => {},
) {
  const orders = new Map<string, RoleOrder>();
  let plan: RolePlan | undefined;
  const warnings: string[] = [];
  const ran = await runScripted({
    files: { "inventory.toml": INVENTORY, ...files },
    options: { onWarning: (text) => void warnings.push(text), ...options },
    async leaf(leaf) {
      orders.set(leaf.host, leaf.order as RoleOrder);
      plan = leaf.plan;
      await script(leaf);
      return OK;
    },
  });
  return { ...ran, orders, plan: plan!, warnings };
}

describe("secret texts travel to the hosts that have them, beside plain variables:", () => {
  it("those of a host's variables that the inventory names", async () => {
    const { orders, plan } = await run({ "policy.ts": policy() });
    expect(orders.get("l1")).toMatchObject({
      vars: { db_password: "l1-p4ssword", pin: 4711, plain: "of l1" },
      secrets: ["l1-p4ssword", "4711"],
    });
    expect(orders.get("l2")).toMatchObject({ secrets: ["l2-p4ssword"] });
    // Every relay keeps the plan
    expect(JSON.stringify(plan)).not.toMatch(/p4ssword|4711/);
    // Which they are is nobody's business there
    expect(JSON.stringify([plan, ...orders.values()])).not.toContain("mop_secrets");
  });

  it("those that secret() marked, wherever they stand in a variable", async () => {
    const { orders, plan } = await run({
      "policy.ts": policy(
        `vars: { url: \`db://app:\${pw}@db\`, list: [{ token: secret("entry-t0ken") }] }`,
        `const pw = secret("p0licy-secret"); secret("in-no-variable");`,
      ),
    });
    expect(orders.get("l1")).toMatchObject({
      secretVars: {
        vars: { url: "db://app:p0licy-secret@db", list: [{ token: "entry-t0ken" }] },
        extraVars: {},
      },
      secrets: expect.arrayContaining(["entry-t0ken", "p0licy-secret"]),
    });
    expect(orders.get("l1")?.secrets).not.toContain("in-no-variable");
    expect(JSON.stringify(plan)).not.toMatch(/p0licy-secret|entry-t0ken/);
  });

  it("those of --extra-vars, whoever names them", async () => {
    const extraVars = { mop_secrets: "token", token: "extra-t0ken", db_password: "extra-p4ssword" };
    const { orders, plan } = await run({ "policy.ts": policy() }, { extraVars });
    expect(plan.extraVars).toEqual({});
    expect(orders.get("l1")?.secretVars?.extraVars).toEqual({
      token: "extra-t0ken",
      db_password: "extra-p4ssword",
    });
    // What --extra-vars stand over doesn't travel, and so its text needn't either
    expect([...orders.get("l1")!.secrets].sort()).toEqual(["4711", "extra-p4ssword", "extra-t0ken"]);
  });

  it("sealed, and only to hosts that have any", async () => {
    const wings = async (body: string, more = "") => {
      const { steps } = await run({
        "policy.ts": policy("", "", "").replace("async main() {}", body),
        "inventory.toml": `${INVENTORY}\n[hosts.l3.vars]\nplain = "of l3"\n${more}`,
      });
      return steps.filter((step) => step.includes("wing")).sort();
    };
    expect(await wings("async main() {}")).toEqual(["sealed wing l1", "sealed wing l2", "wing l3"]);
    // What a role gives back when its host restarts may hold what it made a secret there
    const reboots = "async main({ reboot, vars }: any) { if (vars.old) await reboot(); }";
    expect(await wings(reboots)).toEqual(["sealed wing l1", "sealed wing l2", "sealed wing l3"]);
  });

  it("never within a role's code, which relays keep: that is warned about, at its place", async () => {
    const body = `async main({ shell }: any) {
      await shell("login " + secret("wr1tten-there"));
    }`;
    const { warnings } = await run({ "policy.ts": policy().replace("async main() {}", body) });
    expect(warnings).toEqual([]);
    const head = `const key = secret("wr1tten-there");`;
    const { warnings: told } = await run({ "policy.ts": policy("", head).replace("async main() {}", body) });
    expect(told).toEqual([
      expect.stringMatching(
        /^role web: a secret stands in its code \(\S*policy\.ts:\d+:\d+\), which the relays on the way can read; /,
      ),
    ]);
  });

  it("those of an inventory function", async () => {
    const { orders } = await run({
      "policy.ts": policy("", "").replace(
        "definePolicy({",
        `definePolicy({ inventory: () => ({ hosts: { h: { vars: { key: secret("functi0n-key") } } } }),`,
      ),
    });
    expect(orders.get("h")).toMatchObject({ vars: { key: "functi0n-key" }, secrets: ["functi0n-key"] });
  });

  it("a name that a group and a host give each stays secret", async () => {
    const { orders } = await run({
      "policy.ts": policy(),
      "inventory.toml": `
[groups.web.hosts]
l1 = { mop_secrets = ["own"], own = "own-secret", shared = "shared-secret" }
[groups.web.vars]
mop_secrets = "shared"
`,
    });
    expect(orders.get("l1")?.secrets).toEqual(["shared-secret", "own-secret"]);
  });
});

describe("what can't be kept secret is refused before anything is contacted:", () => {
  const refused = (files: Record<string, string>) => rejection(run(files)).then(({ message }) => message);

  it("a text too short, without telling it", async () => {
    const message = await refused({ "policy.ts": policy("", `secret("xy");`) });
    expect(message).toMatch(
      /policy\.ts:3:\d+: .*secret\(\) was given a text of 2 characters; a secret has 3 at least/,
    );
    expect(message).not.toContain("xy");
  });

  it("a named variable that is too short, or neither true nor false", async () => {
    const inventory = (value: string) => `[hosts.l1.vars]\nmop_secrets = ["pw"]\npw = ${value}\n`;
    expect(await refused({ "policy.ts": policy(), "inventory.toml": inventory('"xy"') })).toMatch(
      /inventory\.toml: host l1: pw, which mop_secrets names, was given a text of 2 characters/,
    );
    expect(await refused({ "policy.ts": policy(), "inventory.toml": inventory("true") })).toMatch(
      /host l1: pw: mop_secrets names it, and it is true, which can't be masked/,
    );
  });

  it("a list of names that is none; a name that nothing has is warned about", async () => {
    const inventory = (value: string) => `[hosts.l1.vars]\nmop_secrets = ${value}\n`;
    expect(await refused({ "policy.ts": policy(), "inventory.toml": inventory("[1]") })).toMatch(
      /host l1: mop_secrets is no list of variables' names/,
    );
    const { warnings } = await run({ "policy.ts": policy(), "inventory.toml": inventory('["db_pasword"]') });
    expect(warnings).toEqual([
      expect.stringMatching(/mop_secrets names "db_pasword", and there is no such variable/),
    ]);
  });
});

describe("the controller shows no secret", () => {
  const files = {
    "policy.ts": policy(
      `async beforeContact(host) { if (host.name === "l2") throw new Error("the balancer refused " + host.vars.db_password + " and " + secret("made-in-h00k")); }`,
    ),
  };

  it("in what leaves say that their own run did not know, or in what a hook throws", async () => {
    const { events } = await run(files, {}, async ({ emit }) => {
      await emit({ event: "output", stream: "stdout", text: "of another host: l2-p4ss" });
      await emit({ event: "output", stream: "stdout", text: "word, over\n" });
      await emit({
        event: "resource",
        role: "web",
        type: "file",
        name: "/l2-p4ssword",
        status: "failed",
        changes: ["l2-p4ssword"],
        diff: "+l2-p4ssword\n",
        error: "l2-p4ssword",
        ms: 1,
      });
    });
    const text = JSON.stringify(events);
    expect(text).not.toContain("p4ssword");
    expect(text).not.toContain("made-in-h00k");
    const output = events.map((event) => (event.event === "output" ? event.text : "")).join("");
    expect(output).toBe("of another host: ********, over\n");
    expect(events).toContainEqual(
      expect.objectContaining({
        event: "resource",
        name: "/********",
        changes: ["********"],
        diff: "+********\n",
        error: "********",
      }),
    );
    expect(events).toContainEqual(
      expect.objectContaining({
        event: "role",
        host: "l2",
        error: expect.stringMatching(/^beforeContact failed: the balancer refused \*{8} and \*{8} \(/),
      }),
    );
  });

  it("in `mop inventory`, whose variables are masked by name and by text", async () => {
    secret("marked-by-hand");
    const cwd = await tempFolder({
      "inventory.toml": `[groups.web.hosts]
l1 = { db = { deep = "x" }, key = "l1-k3y-text", url = "http://u:l1-k3y-text@h/", note = "marked-by-hand!", mop_password = "hunter2", mop_become_password = "hunter3", pin = 12345 }
[groups.web.vars]
mop_secrets = ["key", "pin"]
`,
    });
    const { hosts } = await describeInventory({ cwd });
    expect(hosts[0]?.vars).toEqual({
      mop_secrets: ["key", "pin"],
      db: { deep: "x" },
      key: "********",
      url: "http://u:********@h/",
      note: "********!",
      mop_password: "********",
      mop_become_password: "********",
      pin: "********",
    });
  });

  it("in warnings", async () => {
    const folder = await tempFolder({
      "policy.ts": policy("", `secret("mop_secret_name");`),
      "inventory.toml": "[hosts.l1.vars]\nmop_secret_name = 1\n",
    });
    const warnings: string[] = [];
    await prepareRun({
      policy: path.join(folder, "policy.ts"),
      typeCheck: false,
      mop: await testPackage(),
      onWarning: (text) => void warnings.push(text),
    });
    expect(warnings).toEqual([expect.stringContaining("******** is no connection variable")]);
  });
});

import { describe, expect, it } from "vitest";
import type { RunOptions } from "../../../engine/controller/run/options.js";
import { roleVariables } from "../../../engine/leaf/role/variables.js";
import type { RoleOrder, RolePlan } from "../../../engine/vocabulary/order.js";
import { INVENTORY, OK, runScripted } from "./scripted.js";

/** Runs one role on l1 and gives what its leaf was told. */
async function told(
  policy: string,
  files: Record<string, string | Uint8Array> = {},
  options: Partial<RunOptions> = {},
) {
  const seen: { order: RoleOrder; plan: RolePlan; offered: Set<string>; pushed: Set<string> }[] = [];
  const run = await runScripted({
    files: { "policy.ts": policy, "inventory.toml": INVENTORY, ...files },
    options: { limitHosts: ["l1"], ...options },
    leaf({ order, plan, node }) {
      const [offered, pushed] = [new Set(node.offered.keys()), new Set(node.pushed)];
      seen.push({ order: order as RoleOrder, plan, offered, pushed });
      return OK;
    },
  });
  return { ...run, seen, leaf: seen[0]! };
}

const policyOf = (main: string, { role = "", entry = "", policy = "", head = "" } = {}) => `
import { definePolicy, defineRole } from "mop";
${head}
const site = defineRole({ name: "site", ${role} async main({ vars, file, directory, echo }) { ${main} } });
export default definePolicy({ ${policy} roles: [{ role: site, groups: ["web"], ${entry} }] });
`;

describe("variables of a run", () => {
  const layers = {
    role: `vars: { role: "role", entry: "role", extra: "role" },`,
    entry: `vars: { entry: "entry", extra: "entry" },`,
    policy: `vars: { policy: "policy", role: "policy", entry: "policy", extra: "policy" },
      inventory: {
        groups: { web: { hosts: { l1: { host: "host", policy: "host", role: "host", entry: "host", extra: "host",
            mop_password: "SECRET", mop_host: "192.0.2.7" } },
          vars: { group: "group", host: "group", policy: "group", role: "group", entry: "group", extra: "group" } } } },`,
  };

  it("come to the leaf with the last of group, host, policy, role, entry and --extra-vars", async () => {
    const { leaf } = await told(policyOf(`await echo("x");`, layers), {}, { extraVars: { extra: "extra" } });
    const { mop_host, ...vars } = roleVariables(leaf.order, leaf.plan);
    expect(vars).toEqual({
      group: "group",
      host: "host",
      policy: "policy",
      role: "role",
      entry: "entry",
      extra: "extra",
    });
    expect(mop_host).toBe("192.0.2.7");
  });

  it("leave passwords of the connection at home", async () => {
    const { leaf } = await told(policyOf(`await echo("x");`, layers));
    expect(JSON.stringify([leaf.order, leaf.plan])).not.toContain("SECRET");
  });
});

describe("a plan", () => {
  const ECHO = policyOf(`await echo("x");`, { entry: `tags: ["web"],` });

  it("says whether to check, to show diffs, and which tags are wanted", async () => {
    const plain = (await told(ECHO)).leaf.plan;
    expect(plain).toMatchObject({ check: false, diff: false, tags: null, skipTags: [], roleTags: ["web"] });
    const options = { check: true, diff: true, tags: ["web", "db"], skipTags: ["slow"] };
    expect((await told(ECHO, {}, options)).leaf.plan).toMatchObject(options);
  });

  it("is the same blob for all hosts, and each gets its own order", async () => {
    const { seen } = await told(ECHO, {}, { limitHosts: [] });
    expect(new Set(seen.map(({ order }) => order.plan)).size).toBe(1);
    expect(seen.map(({ order }) => order.host)).toEqual(
      ["l1", "l2", "l3"].map((name) => ({ name, groups: ["web"] })),
    );
    expect(seen[0]!.order.vars).toMatchObject({ color: "blue" });
  });

  it("is not sent at all for a role that no wanted tag names, or a skipped one does", async () => {
    expect((await told(ECHO, {}, { tags: ["db"] })).steps).toEqual([]);
    expect((await told(ECHO, {}, { skipTags: ["web"] })).steps).toEqual([]);
    const own = policyOf(`await echo("x", { tags: ["db"] });`);
    expect((await told(own, {}, { tags: ["db"] })).seen).toHaveLength(1);
  });

  it("names the parts of the wing; only a role that may render is sent them ahead", async () => {
    const plain = (await told(policyOf(`await directory("/srv"); await echo("no marks");`))).leaf;
    expect(Object.keys(plain.plan.parts)).toEqual(["templates"]);
    expect(plain.offered).toContain(plain.plan.parts.templates);
    expect(plain.pushed).not.toContain(plain.plan.parts.templates);
    for (const main of [
      'await echo("{{ x }}");',
      "await echo(vars.text);",
      'await file("/a", { template: vars.t });',
    ]) {
      const { plan, pushed } = (await told(policyOf(main))).leaf;
      expect(pushed).toContain(plan.parts.templates);
    }
  });

  it("and the role's module go ahead of the order", async () => {
    const { leaf } = await told(ECHO);
    expect([...leaf.pushed]).toEqual(expect.arrayContaining([leaf.order.plan, leaf.plan.module]));
  });
});

describe("files of a role", () => {
  const offered = async (...args: Parameters<typeof told>) => {
    const { plan, offered } = (await told(...args)).leaf;
    for (const { hash, chunks } of Object.values(plan.files))
      for (const blob of chunks.length > 0 ? chunks : [hash]) expect(offered).toContain(blob);
    return Object.keys(plan.files).sort();
  };

  it("are those that its text names, with what templates include, and no others", async () => {
    const files = await offered(
      policyOf(`await file("/a", { template: "templates/a.j2" }); await file("/b", { source: "files/b" });`),
      {
        "templates/a.j2": `{% include "head.j2" %}{% import 'templates/macros/m.j2' as m %}`,
        "templates/head.j2": `{% include "foot.j2" %}`,
        "templates/foot.j2": "foot",
        "templates/macros/m.j2": "m",
        "templates/unused.j2": "unused",
        "files/b": "b",
        "files/secret": "no",
      },
    );
    expect(files).toEqual([
      "files/b",
      "templates/a.j2",
      "templates/foot.j2",
      "templates/head.j2",
      "templates/macros/m.j2",
    ]);
  });

  it("are found by texts with gaps, by its `files` patterns and by variables", async () => {
    const files = await offered(
      policyOf("await file(`/srv/${vars.app}`, { source: `files/${vars.app}.conf` });", {
        role: `files: ["sites/**"],`,
        entry: `vars: { app: "a", logo: "img/logo.png" },`,
      }),
      { "files/a.conf": "", "files/b.conf": "", "files/a.key": "", "sites/x/y": "", "img/logo.png": "" },
    );
    expect(files).toEqual(["files/a.conf", "files/b.conf", "img/logo.png", "sites/x/y"]);
  });

  it("that are large are offered in pieces", async () => {
    const big = new Uint8Array(1_200_000).map((_, i) => (i * 7919) >> 3);
    const { leaf } = await told(policyOf(`await file("/b", { source: "b.bin" });`), { "b.bin": big });
    const file = leaf.plan.files["b.bin"]!;
    expect(file.size).toBe(big.length);
    expect(file.chunks).toHaveLength(3);
    expect(leaf.pushed).not.toContain(file.chunks[0]);
  });
});

describe("warnings", () => {
  it("tell of a misspelt connection variable and of an import that stays behind", async () => {
    const warnings: string[] = [];
    await told(
      policyOf("need();", { head: `import { need } from "./need.js";` }),
      {
        "need.js": `import "left-behind";\nexport const need = () => 1;`,
        "node_modules/left-behind/index.js": "",
        "node_modules/left-behind/package.json": `{"name":"left-behind"}`,
        "inventory.toml": `[groups.web.hosts]\nl1 = "mop_usr=deploy mop_via=b1"\n[hosts.b1.vars]\nmop_prot = 22`,
      },
      { onWarning: (text) => warnings.push(text) },
    );
    expect(warnings).toEqual([
      expect.stringMatching(
        /^role site: .*need\.js:1: "left-behind" is imported for its side effects alone and stays behind$/,
      ),
      expect.stringMatching(/host l1: mop_usr is no connection variable; is mop_user meant\?$/),
      expect.stringMatching(/host b1: mop_prot is no connection variable; is mop_port meant\?$/),
    ]);
  });
});

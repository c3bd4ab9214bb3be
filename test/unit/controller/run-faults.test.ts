import path from "node:path";
import { describe, expect, it } from "vitest";
import { PolicyError } from "../../../engine/controller/policy-error.js";
import { validate } from "../../../engine/controller/run/validate.js";
import { INVENTORY, runScripted, testPackage, twoRoles } from "./scripted.js";
import { rejection, tempFolder } from "./temp-folder.js";

/** What a run says of a policy that is at fault; fails when anything was contacted. */
async function fault(policy: string, files: Record<string, string> = {}, options = {}): Promise<string> {
  const all = { "policy.ts": policy, "inventory.toml": INVENTORY, ...files };
  const steps: string[] = [];
  const error = await rejection(
    runScripted({ files: all, options, mesh: { onStep: (step) => steps.push(step) } }),
  );
  expect(error).toBeInstanceOf(PolicyError);
  expect(steps).toEqual([]);
  expect(error.message).not.toContain("\n");
  return error.message;
}

const role = (main: string) => `import { definePolicy, defineRole } from "mop";
const site = defineRole({
  name: "site",
  async main({ file, directory }) {
    ${main}
  },
});
export default definePolicy({ roles: [{ role: site }] });
`;

describe("before anything is contacted, a run refuses", () => {
  it("a wrong option, with file, line and column", async () => {
    expect(await fault(role(`await directory("/srv", { mod: 0o755 });`), {}, { typeCheck: true })).toMatch(
      /policy\.ts:5:31: .*'mod' does not exist in type 'DirectoryOptions'.*\(TS\d+\)$/,
    );
  });

  it("a wrong value of an option", async () => {
    const text = await fault(role(`await file("/srv", { overwrite: "no" });`), {}, { typeCheck: true });
    expect(text).toMatch(/policy\.ts:5:26: .*'string' is not assignable.*\(TS2322\)$/);
  });

  it("a source that does not exist, with its place", async () => {
    expect(await fault(role(`await file("/srv/a", { source: "files/gone" });`))).toMatch(
      /^\/.*\/mop-test-\w+\/policy\.ts:5:\d+: the source "files\/gone" does not exist below the policy's folder$/,
    );
  });

  it("a `files` pattern that fits nothing", async () => {
    const text = await fault(role("").replace(`name: "site",`, `name: "site", files: ["x/*"],`));
    expect(text).toBe(`role site: the role's files: "x/*" fits no file below the policy's folder`);
  });

  it("groups and hosts that the inventory doesn't have, but not patterns that fit none", async () => {
    expect(await fault(twoRoles("{ role: first, groups: ['db'] }"))).toMatch(
      /^role first: the group "db" is not in .*inventory\.toml$/,
    );
    expect(await fault(twoRoles("{ role: first, hosts: ['l7'] }"))).toMatch(
      /^role first: the host "l7" is not in .*inventory\.toml$/,
    );
    const files = {
      "policy.ts": twoRoles("{ role: first, groups: ['db*'] }"),
      "inventory.toml": INVENTORY,
    };
    expect((await runScripted({ files })).result.hosts).toEqual({});
  });

  it("an inventory function that fails, with its place", async () => {
    const policy = twoRoles("{ role: first }").replace(
      "definePolicy({",
      'definePolicy({ inventory() { throw new Error("the API is down"); },',
    );
    expect(await fault(policy)).toMatch(
      /policy\.ts:\d+:\d+: the policy's inventory function failed: the API is down$/,
    );
  });

  it("no inventory anywhere, with the way out", async () => {
    const files = { "policy.ts": twoRoles("{ role: first }") };
    await expect(runScripted({ files })).rejects.toThrow(
      /^there is no inventory\.toml in .+, and the policy names no inventory; give one with --inventory, or run it on this machine alone with mop local$/,
    );
  });

  it("a route that leads in a circle, and a variable that can't travel", async () => {
    const circle = INVENTORY.replace(`mop_host = "192.0.2.1"`, `mop_via = "b2"`);
    expect(await fault(twoRoles("{ role: first }"), { "inventory.toml": circle })).toMatch(/circle/);
    expect(await fault(twoRoles("{ role: first, vars: { f: () => 1 } }"))).toMatch(
      /^role first: vars of its entry\.f is a function; variables are plain data/,
    );
  });

  it("a policy and an inventory that don't exist or can't be read", async () => {
    expect(await fault(twoRoles("{ role: first }"), {}, { policy: "/nowhere/policy.ts" })).toBe(
      "/nowhere/policy.ts: the policy does not exist",
    );
    expect(await fault(twoRoles("{ role: first }"), { "inventory.toml": "[groups" })).toMatch(
      /inventory\.toml:1:\d+: /,
    );
    expect(await fault("export default {")).toMatch(/policy\.ts:1:\d+: /);
  });
});

describe("validate", () => {
  it("reports roles with their hosts and files, routes and warnings, without a mesh", async () => {
    const folder = await tempFolder({
      "policy.ts": role(`await file("/srv/a", { source: "a.conf" });`),
      "a.conf": "a",
      "inventory.toml": INVENTORY.replace("color=blue", "mop_prot=22"),
    });
    const report = await validate({ policy: folder, mop: await testPackage(), typeCheck: false });
    expect(report).toEqual({
      policy: path.join(folder, "policy.ts"),
      inventory: path.join(folder, "inventory.toml"),
      roles: [{ name: "site", hosts: ["l1", "l2", "l3"], files: ["a.conf"] }],
      routes: expect.objectContaining({ l1: ["b1", "b2", "l1"] }),
      warnings: [expect.stringContaining("mop_prot is no connection variable; is mop_port meant?")],
    });
  });
});

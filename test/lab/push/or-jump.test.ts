import { existsSync } from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createLab, type Lab, type LabOptions } from "../../support/lab.js";
import { built, changedOf, mop, unreachableOf } from "../../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../../support/policies.js";

/** `auto`: a bastion where no node can be had is passed as a jump, over the login that was made for the node. */
describe.skipIf(!built)("a bastion under auto", () => {
  let lab: Lab;
  let policy: PolicyFolder;
  beforeAll(() => {
    policy = policyFolder(rolePolicy("await file(`${vars.root}/done`, { content: 'yes' });"));
  });
  afterAll(() => policy.remove());
  afterEach(() => lab.close());

  const push = async (options: LabOptions, ...args: string[]) => {
    lab = await createLab(options);
    return mop(["push", policy.policy, ...lab.options, "-o", "json", "--connect-timeout", "15", ...args]);
  };

  test.each([
    ["the first", ["b1"]],
    ["the second", ["b2"]],
    ["both", ["b1", "b2"]],
  ])("without Node is passed as a jump: %s", async (_name, bare) => {
    const run = await push({ hosts: Object.fromEntries(bare.map((name) => [name, { path: "" }])) });
    expect(unreachableOf(run)).toEqual([]);
    for (const leaf of ["l1", "l2", "l3"]) {
      expect(changedOf(run, leaf)).toEqual(["file done"]);
      expect(existsSync(path.join(lab.host(leaf).folder, "done"))).toBe(true);
    }
    for (const host of ["b1", "b2", "l1", "l2", "l3"]) expect(lab.host(host).logins).toBe(1);
  });
});

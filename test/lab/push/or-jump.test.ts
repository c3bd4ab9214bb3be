import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Mesh } from "../../../engine/mesh.js";
import { createLab, type Lab, type LabOptions } from "../../support/lab.js";
import { built, changedOf, connectedOf, mop, unreachableOf } from "../../support/mop.js";
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
    await expect
      .poll(() => [...lab.hosts.values()].flatMap((host) => host.pids), { timeout: 10_000 })
      .toEqual([]);
  });

  test("that must be a relay is none without Node", async () => {
    const run = await push({ hosts: { b1: { path: "" } } }, "--hop", "relay");
    expect(unreachableOf(run).map(({ at }) => at)).toEqual(["b1", "b1", "b1"]);
    expect(lab.host("b1").logins).toBe(1);
  });

  test("without Node is unreachable as a target, while hosts behind it are reached", async () => {
    lab = await createLab({ bastions: 1, leaves: 2, hosts: { b1: { path: "" } } });
    const toml = readFileSync(lab.inventoryFile, "utf8");
    writeFileSync(
      lab.inventoryFile,
      toml.replace("[groups.web.hosts]", '[groups.web.hosts]\nb1 = { mop_via = "" }'),
    );
    const run = await mop(["ping", ...lab.options, "-o", "json"]);
    expect(unreachableOf(run).map(({ host, at }) => [host, at])).toEqual([["b1", "b1"]]);
    expect(
      connectedOf(run)
        .map(({ host }) => host)
        .sort(),
    ).toEqual(["l1", "l2"]);
  });

  test("that was found without Node as a target is logged in to once more when a host behind it is wanted, and told", async () => {
    lab = await createLab({ bastions: 1, leaves: 2, hosts: { b1: { path: "" } } });
    const told: string[] = [];
    const { inventoryFile: inventory, knownHostsFile: knownHosts } = lab;
    const onNotice = (host: string, text: string) => told.push(`${host} ${text}`);
    await using mesh = await Mesh.open({ inventory, knownHosts, sshConfig: "none", onNotice });
    await expect(mesh.connect("b1")).rejects.toMatchObject({ code: "BOOT_FAILED", at: "b1" });
    for (const leaf of ["l1", "l2"])
      expect((await (await mesh.connect(leaf)).run("echo $HOME")).stdout).toBe(`${lab.host(leaf).folder}\n`);
    expect(lab.host("b1").logins).toBe(2);
    expect(told.filter((line) => line.startsWith("b1 is passed as a jump: the boot command"))).toHaveLength(
      1,
    );
  });

  test("without Node is passed by mop trust and told by mop doctor as a hint", async () => {
    lab = await createLab({
      bastions: 2,
      leaves: 1,
      hosts: { b1: { path: "" }, b2: { path: "" }, l1: { knownAs: "unknown" } },
    });
    const trust = await mop(["trust", "l1", "--yes", ...lab.options, "-o", "json"]);
    expect(trust.stdout, trust.stderr).toMatch(/"event":"trust","host":"l1".*"outcome":"recorded"/);
    const doctor = await mop(["doctor", "l1", ...lab.options, "-o", "json"]);
    for (const hop of ["b1", "b2"])
      expect(doctor.stdout).toMatch(
        new RegExp(
          `"hop":"${hop}","check":"node","status":"hint","text":"the boot command.*; it is passed as a jump"`,
        ),
      );
    expect(doctor.stdout).toMatch(
      /"event":"diagnosis".*"status":"hint","text":"l1 can be pushed to, but b1: /,
    );
  });
});

import { existsSync } from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ErrorName } from "../../../transport/errors.js";
import { createLab, type Lab, type LabOptions } from "../../support/lab.js";
import { built, type MopRun, mop, summaryOf, unreachableOf } from "../../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../../support/policies.js";

/** What can be wrong with one host while the others are fine: each gives one sentence and status 4. */
describe.skipIf(!built)("a host that can't be reached", () => {
  let lab: Lab;
  let policy: PolicyFolder;
  beforeAll(() => {
    policy = policyFolder(rolePolicy("await file(`${vars.root}/done`, { content: 'yes' });"));
  });
  afterAll(() => policy.remove());
  afterEach(() => lab.close());

  const push = async (options: LabOptions, ...args: string[]) => {
    lab = await createLab(options);
    return run(...args);
  };
  const run = (...args: string[]) =>
    mop(["push", policy.policy, ...lab.options, "-o", "json", "--connect-timeout", "15", ...args]);

  /** l1 and l3 did their work, l2 is reported unreachable at `at` for a reason that fits. */
  const expectOnlyL2Lost = (result: MopRun, at: string, code: ErrorName, reason: RegExp) => {
    expect(unreachableOf(result), result.stderr).toEqual([
      { event: "host", host: "l2", state: "unreachable", at, code, reason: expect.stringMatching(reason) },
    ]);
    expect(result.status).toBe(4);
    const { hosts } = summaryOf(result);
    expect(hosts.l2).toMatchObject({ unreachable: true, changed: 0 });
    for (const leaf of ["l1", "l3"]) {
      expect(hosts[leaf]).toMatchObject({ unreachable: false, changed: 1, failed: 0 });
      expect(existsSync(path.join(lab.host(leaf).folder, "done"))).toBe(true);
    }
    expect(existsSync(path.join(lab.host("l2").folder, "done"))).toBe(false);
    for (const event of unreachableOf(result)) expect(event.reason.trim().split("\n")).toHaveLength(1);
    expect(result.stderr).toBe("");
    return expectNothingLeft();
  };
  const expectNothingLeft = () =>
    expect.poll(() => [...lab.hosts.values()].flatMap((host) => host.pids), { timeout: 10_000 }).toEqual([]);

  test("because its host key changed: told before any login", async () => {
    const result = await push({ hosts: { l2: { knownAs: "another" } } });
    await expectOnlyL2Lost(result, "l2", "HOST_KEY_CHANGED", /host key.*known_hosts/is);
    expect(lab.host("l2").logins).toBe(0);
  });

  test("because its host key is unknown", async () => {
    const result = await push({ hosts: { l2: { knownAs: "unknown" } } });
    await expectOnlyL2Lost(result, "l2", "HOST_KEY_UNKNOWN", /host key|known_hosts/i);
    expect(lab.host("l2").logins).toBe(0);
  });

  test("because it refuses the key", async () => {
    await expectOnlyL2Lost(
      await push({ hosts: { l2: { acceptsKey: false } } }),
      "l2",
      "AUTH_REFUSED",
      /refused|accept/i,
    );
  });

  test("because its name doesn't resolve on the bastion", async () => {
    const result = await push({ hosts: { l2: { vars: { mop_host: "no-such-host.invalid" } } } });
    await expectOnlyL2Lost(result, "l2", "NAME_NOT_FOUND", /no-such-host\.invalid/);
  });

  test("because nobody listens there", async () => {
    lab = await createLab({});
    await lab.host("l2").refuse();
    await expectOnlyL2Lost(await run(), "l2", "CONNECT_REFUSED", /refuse/i);
  });

  test("because it has no Node where mop_node says", async () => {
    const result = await push({ hosts: { l2: { vars: { mop_node: "/nowhere/node" } } } });
    await expectOnlyL2Lost(result, "l2", "NO_NODE", /Node.*\/nowhere\/node|\/nowhere\/node.*Node/);
  });

  test("when the bastion before it refuses connections, all behind it are lost at that bastion", async () => {
    lab = await createLab({ leaves: 2 });
    await lab.host("b2").refuse();
    const result = await run();
    expect(result.status).toBe(4);
    const lost = unreachableOf(result);
    expect(lost.map((event) => event.host).sort()).toEqual(["l1", "l2"]);
    for (const event of lost) expect(event.at).toBe("b2");
    await expectNothingLeft();
  });

  test("when the first bastion is not there at all", async () => {
    lab = await createLab({ leaves: 2 });
    await lab.link.close();
    const result = await run();
    expect(result.status).toBe(4);
    for (const event of unreachableOf(result)) expect(event.at).toBe("b1");
    expect(unreachableOf(result)).toHaveLength(2);
  });

  for (const hop of ["sealed", "jump"])
    test(`because it refuses the key, behind bastions passed as ${hop}`, async () => {
      const result = await push({ hosts: { l2: { acceptsKey: false } } }, "--hop", hop);
      await expectOnlyL2Lost(result, "l2", "AUTH_REFUSED", /refused|accept/i);
    });
});

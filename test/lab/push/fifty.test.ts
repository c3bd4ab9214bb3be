import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLab, type Lab } from "../../support/lab.js";
import { built, type MopRun, mop, summaryOf } from "../../support/mop.js";
import { type PolicyFolder, policyFolder, SHOP, SHOP_FILES } from "../../support/policies.js";
import { countsMemory, watchResident } from "../../support/resident.js";

const LEAVES = 50;
/** Bytes that a leaf may have resident, its role's worker and templates included. */
const LEAF_MOST = 80e6;

describe.skipIf(!built)(`a push to ${LEAVES} leaves behind two bastions in one run`, () => {
  let lab: Lab;
  let shop: PolicyFolder;
  let run: MopRun;
  let peaks: Readonly<Record<string, number>>;

  beforeAll(async () => {
    lab = await createLab({ leaves: LEAVES });
    shop = policyFolder(SHOP, SHOP_FILES);
    const watch = watchResident(
      Object.fromEntries(lab.leaves.map((name) => [name, () => lab.host(name).pids] as const)),
    );
    run = await mop(["push", shop.policy, ...lab.options, "-o", "json"]);
    watch.stop();
    peaks = watch.peaks;
  }, 120_000);
  afterAll(async () => {
    await lab?.close();
    shop?.remove();
  });

  test("succeeds on every one of them", () => {
    expect(run.status, run.stderr).toBe(0);
    const { hosts } = summaryOf(run);
    expect(Object.keys(hosts)).toHaveLength(LEAVES);
    for (const name of lab.leaves) {
      expect(hosts[name], name).toMatchObject({ changed: 6, failed: 0, skipped: 0, unreachable: false });
      expect(readFileSync(path.join(lab.host(name).folder, "shop/app.conf"), "utf8")).toContain(
        "port = 8080",
      );
    }
  });

  test("logs in to each host once", () => {
    expect([...lab.hosts.values()].map((host) => host.logins)).toEqual([...lab.hosts].map(() => 1));
  });

  test("sends what all leaves need over the first link once", () => {
    const [first] = summaryOf(run).links.filter(({ from }) => from === "controller");
    // The core, the wing and the templates are 55 kB; a login, a hand-off and the orders of a leaf some 5 kB.
    expect(first?.sent).toBeGreaterThan(55_000);
    expect(first?.sent).toBeLessThan(70_000 + LEAVES * 6000);
  });

  test.skipIf(!countsMemory)("no leaf ever has 80 MB resident", () => {
    expect(Object.keys(peaks)).toHaveLength(LEAVES);
    for (const [name, peak] of Object.entries(peaks)) {
      expect(peak, name).toBeGreaterThan(20e6);
      expect(peak, name).toBeLessThan(LEAF_MOST);
    }
  });

  test("leaves nothing running", async () => {
    await expect
      .poll(() => [...lab.hosts.values()].flatMap((host) => host.pids), { timeout: 10_000 })
      .toEqual([]);
  });
});

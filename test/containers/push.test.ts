import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mop, ROOT, resourcesOf, summaryOf } from "../support/mop.js";
import { changedFiles } from "./support/container-host.js";
import { type ContainerLab, createContainerLab } from "./support/container-lab.js";
import { findEngine } from "./support/engine.js";
import { CLEAN_WITHIN_MS, deeds, processesOf, stampsOf } from "./support/looks.js";

const engine = await findEngine();
const POLICY = path.join(ROOT, "examples/shop/policy.ts");

describe.skipIf("missing" in engine)(
  `examples/shop, pushed through two bastions to three OpenSSH hosts ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    let lab: ContainerLab;
    beforeAll(async () => {
      if ("missing" in engine) return;
      lab = await createContainerLab({ image: engine.image });
    });
    afterAll(() => lab?.close());

    const push = (...args: string[]) =>
      mop(["push", POLICY, "--via", "b1,b2", ...lab.options, "-o", "json", ...args]);
    /** Plans, sees that nothing was written on any host, pushes, and sees that the plan was right. */
    const planAndPush = async () => {
      const before = await stampsOf(lab, lab.leaves);
      const planned = await push("--check", "--diff");
      expect(planned.status, planned.stderr).toBe(0);
      const after = await stampsOf(lab, lab.leaves);
      for (const leaf of lab.leaves)
        expect(changedFiles(before.get(leaf)!, after.get(leaf)!), leaf).toEqual([]);
      const pushed = await push("--diff");
      expect(pushed.status, pushed.stderr).toBe(0);
      expect(deeds(pushed)).toEqual(deeds(planned));
      return pushed;
    };
    /** A text file of the role that no other resource follows. */
    let edited = "";

    test("changes all three leaves, exactly as --check --diff said", async () => {
      const pushed = await planAndPush();
      for (const leaf of lab.leaves) {
        const { changed, failed, unreachable } = summaryOf(pushed).hosts[leaf]!;
        expect({ failed, unreachable }).toEqual({ failed: 0, unreachable: false });
        expect(changed).toBeGreaterThan(3);
        for (const { type, name, status } of resourcesOf(pushed, leaf))
          if (type === "file" && status === "changed") await lab.host(leaf).sh(`test -s '${name}'`);
      }
      const texts = resourcesOf(pushed, "l2").filter((event) => event.type === "file" && event.diff);
      edited = texts.at(-1)?.name ?? "";
      expect(edited).not.toBe("");
    });

    test("changes nothing the second time but the leaf's own log, with status 0", async () => {
      const before = await stampsOf(lab, lab.leaves);
      const again = await push();
      expect(again.status, again.stderr).toBe(0);
      expect(deeds(again).filter((deed) => deed.status !== "ok")).toEqual([]);
      expect(Object.values(summaryOf(again).hosts).map((host) => host.changed)).toEqual([0, 0, 0]);
      const after = await stampsOf(lab, lab.leaves);
      for (const leaf of lab.leaves)
        expect(changedFiles(before.get(leaf)!, after.get(leaf)!), leaf).toEqual([
          "/home/deploy/.mop/mop.log",
        ]);
    });

    test("repairs exactly what was edited by hand on one leaf, with its diff, as --check --diff said", async () => {
      const right = await lab.host("l2").sh(`cat '${edited}'`);
      await lab.host("l2").sh(`echo 'edited by hand' >>'${edited}'`);
      const pushed = await planAndPush();
      const changed = deeds(pushed).filter((deed) => deed.status === "changed");
      expect(changed).toHaveLength(1);
      expect(changed[0]).toMatchObject({ host: "l2", type: "file", name: edited, changes: ["content"] });
      expect(changed[0]?.diff).toContain("-edited by hand");
      expect(await lab.host("l2").sh(`cat '${edited}'`)).toBe(right);
    });

    test("has nothing running on any host 10 s after its end", async () => {
      await expect.poll(() => processesOf(lab), { timeout: CLEAN_WITHIN_MS, interval: 500 }).toEqual([]);
    });
  },
);

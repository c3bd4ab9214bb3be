import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type MopRun, mop, summaryOf } from "../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../support/policies.js";
import { type ContainerLab, createContainerLab } from "./support/container-lab.js";
import { findEngine } from "./support/engine.js";
import { slicesFound } from "./support/slices.js";
import { tapNodes, tapWires } from "./support/taps.js";

const engine = await findEngine();

const SIZE = 1_000_000;
const LEAVES = ["l1", "l2", "l3", "l4", "l5"];

describe.skipIf("missing" in engine)(
  `a random file of 1 MB, pushed to five leaves ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    const content = randomBytes(SIZE);
    let lab: ContainerLab;
    let policy: PolicyFolder;
    let node: Awaited<ReturnType<typeof tapNodes>>;
    beforeAll(async () => {
      if ("missing" in engine) return;
      policy = policyFolder(rolePolicy('await file("/srv/random", { source: "random.bin" });'), {
        "random.bin": content,
      });
      lab = await createContainerLab({
        image: engine.image,
        leaves: Object.fromEntries(LEAVES.map((name) => [name, {}])),
      });
      node = await tapNodes(lab.host("b1"));
    });
    afterAll(async () => {
      policy?.remove();
      await lab?.close();
    });

    const push = (...args: string[]) => mop(["push", policy.policy, ...lab.options, "-o", "json", ...args]);

    const expectArrived = async (run: MopRun) => {
      expect(run.status, run.stderr + run.stdout).toBe(0);
      const sum = createHash("sha256").update(content).digest("hex");
      for (const leaf of LEAVES) {
        expect(summaryOf(run).hosts[leaf]).toMatchObject({ changed: 1, unreachable: false });
        expect(await lab.host(leaf).sh("sha256sum </srv/random")).toContain(sum);
      }
    };

    test("costs less than 1.3 MB on the controller's link, both directions together", async () => {
      lab.link.resetCounters();
      await expectArrived(await push());
      const bytes = lab.link.toTarget + lab.link.fromTarget;
      expect(bytes).toBeGreaterThan(SIZE);
      expect(bytes).toBeLessThan(1_300_000);
    });

    test("is seen by the node of a bastion that is handed the sessions", async () => {
      // What the next test doesn't find must be there to be found otherwise.
      expect(slicesFound(content, await node.read())).toBeGreaterThan(SIZE / 32 / 2);
    });

    test("arrives through sealed bastions too, and b1 sees no byte of it, on its wires and in its nodes", async () => {
      for (const leaf of LEAVES) await lab.host(leaf).sh("rm /srv/random");
      const b1 = lab.host("b1");
      await b1.sh("rm -f /tap/*");
      const wires = await tapWires(b1);
      // b1 is sealed by what the command line says; the sessions behind it stay between their ends.
      await expectArrived(await push("--hop", "sealed"));
      const wire = await wires.end();
      expect(wire.length).toBeGreaterThan(2 * SIZE);
      expect(slicesFound(content, wire)).toBe(0);
      const inside = Buffer.concat([await node.read(), await node.written()]);
      expect(inside.length).toBeGreaterThan(2 * SIZE);
      expect(slicesFound(content, inside)).toBe(0);
    });
  },
);

import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type MopRun, mop, summaryOf } from "../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../support/policies.js";
import { type ContainerLab, createContainerLab } from "./support/container-lab.js";
import { findEngine } from "./support/engine.js";
import { slicesFound } from "./support/slices.js";

const engine = await findEngine();

const SIZE = 1_000_000;
const LEAVES = ["l1", "l2", "l3", "l4", "l5"];
const MARK = "a-word-in-clear-on-the-wire-of-b1-for-comparison";

describe.skipIf("missing" in engine)(
  `a random file of 1 MB, pushed to five leaves ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    const content = randomBytes(SIZE);
    let lab: ContainerLab;
    let policy: PolicyFolder;
    beforeAll(async () => {
      if ("missing" in engine) return;
      policy = policyFolder(rolePolicy('await file("/srv/random", { source: "random.bin" });'), {
        "random.bin": content,
      });
      lab = await createContainerLab({
        image: engine.image,
        leaves: Object.fromEntries(LEAVES.map((name) => [name, {}])),
      });
      await tapNode();
    });
    afterAll(async () => {
      policy?.remove();
      await lab?.close();
    });

    /** Lets b1 keep what its nodes read and write, as an administrator of b1 could. */
    const tapNode = () =>
      lab.host("b1").sh(`mkdir -m 777 /tap /opt/own && mv "$(readlink -f /usr/bin/node)" /opt/own/node
        rm -f /usr/bin/node /usr/bin/nodejs
        printf '%s\\n' '#!/bin/bash' '[ "$1" = -v ] && exec /opt/own/node -v' \
          'tee -a /tap/in | /opt/own/node "$@" | tee -a /tap/out' >/usr/bin/node
        chmod 755 /usr/bin/node`);
    const push = (...args: string[]) => mop(["push", policy.policy, ...lab.options, "-o", "json", ...args]);

    const expectArrived = async (run: MopRun) => {
      expect(run.status, run.stderr + run.stdout).toBe(0);
      const sum = createHash("sha256").update(content).digest("hex");
      for (const leaf of LEAVES) {
        expect(summaryOf(run).hosts[leaf]).toMatchObject({ changed: 1, unreachable: false });
        expect(await lab.host(leaf).sh("sha256sum </srv/random")).toContain(sum);
      }
    };

    /** A file of b1, in the archive that the engine hands out. */
    const fetched = async (path: string): Promise<Buffer> => {
      const chunks: Buffer[] = [];
      for await (const chunk of await lab.host("b1").container.copyArchiveFromContainer(path))
        chunks.push(Buffer.from(chunk as Uint8Array));
      return Buffer.concat(chunks);
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
      expect(slicesFound(content, await fetched("/tap/in"))).toBeGreaterThan(SIZE / 32 / 2);
    });

    test("arrives through sealed bastions too, and b1 sees no byte of it, on its wires and in its nodes", async () => {
      for (const leaf of LEAVES) await lab.host(leaf).sh("rm /srv/random");
      const b1 = lab.host("b1");
      await b1.sh(
        `rm -f /tap/*; tcpdump -i any -s 0 -U -Z root -w /tap/wire >/dev/null 2>&1 & echo $! >/tap/pid
         until [ -s /tap/wire ]; do sleep 0.1; done`,
      );
      // b1 is sealed by what the command line says; the sessions behind it stay between their ends.
      await expectArrived(await push("--hop", "sealed"));
      // What the kernel holds for tcpdump is written a second later, on a busy machine more.
      await b1.sh(`bash -c 'echo ${MARK} >/dev/tcp/b2/22'; p=$(cat /tap/pid)
        timeout 60 sh -c 'until grep -aq ${MARK} /tap/wire; do sleep 0.1; done'; kill $p
        timeout 60 sh -c "while kill -0 $p; do sleep 0.1; done" 2>/dev/null`);
      const wire = await fetched("/tap/wire");
      expect(wire.includes(MARK)).toBe(true);
      expect(wire.length).toBeGreaterThan(2 * SIZE);
      expect(slicesFound(content, wire)).toBe(0);
      const inside = Buffer.concat([await fetched("/tap/in"), await fetched("/tap/out")]);
      expect(inside.length).toBeGreaterThan(2 * SIZE);
      expect(slicesFound(content, inside)).toBe(0);
    });
  },
);

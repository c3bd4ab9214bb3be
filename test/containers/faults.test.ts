import { getContainerRuntimeClient } from "testcontainers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type MopRun,
  resourcesOf,
  type StartedMop,
  startMop,
  summaryOf,
  unreachableOf,
} from "../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../support/policies.js";
import { type ContainerLab, createContainerLab } from "./support/container-lab.js";
import { findEngine } from "./support/engine.js";
import { CLEAN_WITHIN_MS, oursOf, processesOf } from "./support/looks.js";

const engine = await findEngine();

/** Nodes notice a silent link after 8 s; the command line ends a little later, on a busy machine. */
const NOTICED_WITHIN_MS = 20_000;

/** l1 and l2 are at work when the fault comes, l3 is done before it. */
const BODY = `
    await file("/srv/first", { content: "1" });
    if (host.name !== "l3") await shell("sleep 99");
    await file("/srv/last", { content: "2" });
`;

describe.skipIf("missing" in engine)(
  `a fault while roles run on OpenSSH hosts ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    let lab: ContainerLab;
    let policy: PolicyFolder;
    let running: StartedMop;
    beforeAll(async () => {
      if ("missing" in engine) return;
      policy = policyFolder(rolePolicy(BODY));
      lab = await createContainerLab({ image: engine.image });
    });
    afterAll(async () => {
      policy?.remove();
      await lab?.close();
    });

    beforeEach(async () => {
      await Promise.all(lab.leaves.map((leaf) => lab.host(leaf).sh("rm -f /srv/first /srv/last")));
      // What was done before the fault is what the controller has heard of by then.
      const awaited = new Set(["l1 file", "l2 file", "l3 role"]);
      let allHeard = () => {};
      const heard = new Promise<void>((resolve) => {
        allHeard = resolve;
      });
      running = startMop(["push", policy.policy, ...lab.options, "-o", "json"], {
        onEvent: (event) => {
          if (event.event === "resource") awaited.delete(`${event.host} ${event.type}`);
          if (event.event === "role") awaited.delete(`${event.host} role`);
          if (awaited.size === 0) allHeard();
        },
      });
      const early = running.done.then((run) => {
        throw new Error(`ended with ${run.status} before the fault: ${run.stdout}\n${run.stderr}`);
      });
      const slow = ["l1", "l2"].map((leaf) =>
        lab.host(leaf).sh("timeout 60 sh -c 'until pgrep -f \"^sleep 99\"; do sleep 0.1; done'"),
      );
      await Promise.race([Promise.all([heard, ...slow]), early]);
      early.catch(() => {});
    });
    afterEach(async () => {
      running.child.kill("SIGKILL");
      await running.done;
    });

    /** kill -9 of every node on a host. */
    const killNodes = async (name: string) => {
      const pids = await lab.host(name).nodePids();
      expect(pids.length, `nodes on ${name}`).toBeGreaterThan(0);
      await lab.host(name).sh(`kill -9 ${pids.join(" ")}`);
    };
    const nothingLeft = (look: (lab: ContainerLab) => Promise<string[]> = processesOf) =>
      expect.poll(() => look(lab), { timeout: CLEAN_WITHIN_MS, interval: 500 }).toEqual([]);
    const expectL3Intact = async (run: MopRun) => {
      expect(summaryOf(run).hosts.l3).toMatchObject({ changed: 2, failed: 0, unreachable: false });
      expect(await lab.host("l3").sh("cat /srv/first /srv/last")).toBe("12");
    };
    const expectBothLost = async (run: MopRun) => {
      const lost = unreachableOf(run);
      expect(lost.map((event) => event.host).sort()).toEqual(["l1", "l2"]);
      for (const { reason } of lost) expect(reason.trim()).toMatch(/^[^\n]+$/);
      // What was done before the fault stays reported.
      for (const leaf of ["l1", "l2"])
        expect(resourcesOf(run, leaf).map((event) => event.status)).toEqual(["changed"]);
      await expectL3Intact(run);
      expect(run.status).toBe(4);
    };

    test("a killed leaf: it is lost with a reason, the others' work is intact, its command ends", async () => {
      await killNodes("l1");
      await expect
        .poll(() => lab.host("l1").processes(), { timeout: CLEAN_WITHIN_MS, interval: 300 })
        .toEqual([]);
      // l2 goes on meanwhile: what it waits for is over when the test says so.
      await lab.host("l2").sh("pkill -f '^sleep 99'");
      const run = await running.done;
      expect(unreachableOf(run)).toEqual([
        expect.objectContaining({ host: "l1", reason: expect.stringMatching(/^[^\n]+$/) }),
      ]);
      expect(summaryOf(run).hosts.l2).toMatchObject({ unreachable: false });
      await expectL3Intact(run);
      // l2's command was ended by a signal, a failure; it outranks the lost host.
      expect(run.status).toBe(2);
      await nothingLeft();
    });

    test("a killed relay: what was behind it is lost, what was done stays, status 4", async () => {
      await killNodes("b2");
      await expectBothLost(await running.done);
      await nothingLeft();
    });

    test("a cut link to the first bastion: noticed at once, status 4", async () => {
      const begun = performance.now();
      lab.link.cut();
      await expectBothLost(await running.done);
      expect(performance.now() - begun).toBeLessThan(CLEAN_WITHIN_MS);
      await nothingLeft();
    });

    test("Ctrl-C: everything ends on every host, status 130", async () => {
      running.child.kill("SIGINT");
      const run = await running.done;
      expect(run.status).toBe(130);
      await expectL3Intact(run);
      await nothingLeft();
    });

    test("a killed controller: everything below ends by itself", async () => {
      running.child.kill("SIGKILL");
      await nothingLeft();
    });

    // The last one: b2 stays cut off.
    test("a network that swallows all between the bastions: noticed by silence, status 4", async () => {
      const client = await getContainerRuntimeClient();
      const b2 = client.container.getById(lab.host("b2").container.getId());
      const { NetworkSettings } = await client.container.inspect(b2);
      const above = Object.keys(NetworkSettings.Networks).find((name) => name.endsWith("-1"));
      expect(above).toBeDefined();
      const begun = performance.now();
      await client.network.getById(above!).disconnect({ Container: b2.id, Force: true });
      await expectBothLost(await running.done);
      expect(performance.now() - begun).toBeLessThan(NOTICED_WITHIN_MS);
      await nothingLeft(oursOf);
    });
  },
);

import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { alive, until } from "../../support/alive.js";
import { createLab, type Lab } from "../../support/lab.js";
import {
  built,
  type MopRun,
  resourcesOf,
  type StartedMop,
  startMop,
  summaryOf,
  unreachableOf,
} from "../../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../../support/policies.js";

/** Nothing may be there so long after a link went, or fell silent: a node's patience is 8 s; in ms. */
const CLEAN_WITHIN_MS = 10_000;

/** l1 and l2 are slow, so that the fault hits them at work; l3 is done before it. */
const BODY = `
    await file(\`\${vars.root}/first\`, { content: "1" });
    if (host.name !== "l3") await shell(\`echo $$ > \${vars.root}/pid; sleep 60\`);
    await file(\`\${vars.root}/last\`, { content: "2" });
`;

describe.skipIf(!built)("a fault while roles run", () => {
  let lab: Lab;
  let policy: PolicyFolder;
  let running: StartedMop;
  beforeAll(() => {
    policy = policyFolder(rolePolicy(BODY));
  });
  afterAll(() => policy.remove());

  beforeEach(async () => {
    lab = await createLab({ leaves: 3 });
    // What the controller was told before the fault
    const told = new Set<string>();
    running = startMop(["push", policy.policy, ...lab.options, "-o", "json"], {
      onEvent: (event) => {
        if (event.event === "role" || event.event === "resource") told.add(`${event.event} ${event.host}`);
      },
    });
    const early = running.done.then((run) => {
      throw new Error(`ended with ${run.status} before the fault: ${run.stdout}\n${run.stderr}`);
    });
    const wanted = ["role l3", "resource l1", "resource l2"];
    await Promise.race([until("what is done", () => wanted.every((one) => told.has(one))), early]);
    await Promise.race([until("the slow commands", () => pidOf("l1") > 0 && pidOf("l2") > 0), early]);
    early.catch(() => {});
  });
  afterEach(async () => {
    running.child.kill("SIGKILL");
    await running.done;
    await lab.close();
  });

  const pidOf = (leaf: string): number => {
    try {
      return Number(readFileSync(path.join(lab.host(leaf).folder, "pid"), "utf8"));
    } catch {
      return 0;
    }
  };
  const leftovers = () => [
    ...[...lab.hosts.values()].flatMap((host) => host.pids),
    ...["l1", "l2"].map(pidOf).filter(alive),
  ];
  const expectNothingLeft = () =>
    expect.poll(leftovers, { timeout: CLEAN_WITHIN_MS, message: "processes left behind" }).toEqual([]);

  /** One sentence that names the host whose node went, and what to do. */
  const lossOf = (at: string) =>
    new RegExp(`^the node on ${at} is lost \\([^\n]+\\): [^\n]+ a new run [^\n]+$`);
  const expectBothLost = (run: MopRun, at: string) => {
    const lost = unreachableOf(run);
    expect(lost.map((event) => event.host).sort()).toEqual(["l1", "l2"]);
    for (const event of lost) {
      expect(event.at).toBe(at);
      expect(event.reason).toMatch(lossOf(at));
    }
    expect(run.stderr).toBe("");
  };
  const expectL3Intact = (run: MopRun) => {
    expect(summaryOf(run).hosts.l3).toMatchObject({ changed: 2, failed: 0, unreachable: false });
  };

  test("a killed leaf: reported with its place, the others go on, its command ends", async () => {
    const slow = pidOf("l1");
    lab.host("l1").kill();
    await expect.poll(() => alive(slow), { timeout: CLEAN_WITHIN_MS }).toBe(false);
    expect(alive(pidOf("l2"))).toBe(true);
    process.kill(pidOf("l2"), "SIGTERM");
    const run = await running.done;
    expect(unreachableOf(run)).toEqual([
      expect.objectContaining({ host: "l1", at: "l1", reason: expect.stringMatching(lossOf("l1")) }),
    ]);
    expectL3Intact(run);
    // l2's command failed by the test's own signal: a failure outranks the host that was lost.
    expect(run.status).toBe(2);
    expect(summaryOf(run).hosts.l2).toMatchObject({ failed: 1, unreachable: false });
    await expectNothingLeft();
  });

  test("a killed relay: what was behind it is lost, what was done stays reported, nothing is left", async () => {
    lab.host("b2").kill();
    const run = await running.done;
    expect(run.status).toBe(4);
    expectBothLost(run, "b2");
    expectL3Intact(run);
    expect(resourcesOf(run, "l1").map((event) => event.status)).toEqual(["changed"]);
    await expectNothingLeft();
  });

  test("a cut link: the same, at once", async () => {
    const begun = performance.now();
    lab.link.cut();
    const run = await running.done;
    expect(performance.now() - begun).toBeLessThan(8_000);
    expect(run.status).toBe(4);
    expectBothLost(run, "b1");
    expectL3Intact(run);
    await expectNothingLeft();
  });

  test("a black hole: noticed by its silence, at both ends", async () => {
    const begun = performance.now();
    lab.link.blackHole(true);
    const run = await running.done;
    expect(run.status).toBe(4);
    expectBothLost(run, "b1");
    expectL3Intact(run);
    await expectNothingLeft();
    // And a little for a busy machine
    expect(performance.now() - begun).toBeLessThan(CLEAN_WITHIN_MS + 2_000);
  });

  test("Ctrl-C: cancelled on every host, status 130", async () => {
    running.child.kill("SIGINT");
    const run = await running.done;
    expect(run.status).toBe(130);
    expectL3Intact(run);
    await expectNothingLeft();
  });

  test("a killed controller: every node and command below ends by itself", async () => {
    running.child.kill("SIGKILL");
    await expectNothingLeft();
  });
});

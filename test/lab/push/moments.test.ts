import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../support/alive.js";
import { createLab, type Lab } from "../../support/lab.js";
import { built, type MopRun, startMop, summaryOf, unreachableOf } from "../../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../../support/policies.js";

/** Nothing of a node may be there so long after its link went; in ms. */
const CLEAN_WITHIN_MS = 10_000;

/** In ms after the first connection: while b1, b2 and the leaves boot, and while the role runs. */
const MOMENTS = [60, 160, 280, 420];

const RESOURCES = 20;
const BODY = `
    for (let i = 0; i < ${RESOURCES / 2}; i++) {
      await file(\`\${vars.root}/file-\${i}\`, { content: String(i) });
      await shell("sleep 0.03");
    }
`;

interface Fault {
  readonly strike: (lab: Lab) => void;
  /** The hops that may be blamed */
  readonly at: readonly string[];
  /** Hosts that must not suffer from it */
  readonly unhurt: readonly string[];
}

const FAULTS: Readonly<Record<string, Fault>> = {
  "kill -9 of b1's processes": { strike: (lab) => lab.host("b1").kill(), at: ["b1"], unhurt: [] },
  "kill -9 of b2's processes": { strike: (lab) => lab.host("b2").kill(), at: ["b2"], unhurt: [] },
  "kill -9 of l1's processes": { strike: (lab) => lab.host("l1").kill(), at: ["l1"], unhurt: ["l2"] },
  "a cut first link": { strike: (lab) => lab.link.cut(), at: ["b1"], unhurt: [] },
  "a cut second link": { strike: (lab) => lab.host("b2").drop(), at: ["b2"], unhurt: [] },
};

/** What a fault does depends on what it hits: each is tried at each step of a push. */
describe.skipIf(!built)("at every step of a push", () => {
  let lab: Lab;
  let policy: PolicyFolder;
  beforeAll(() => {
    policy = policyFolder(rolePolicy(BODY));
  });
  afterAll(() => policy.remove());
  afterEach(() => lab.close());

  const pushWith = async (afterMs: number, strike: (pid: number) => void): Promise<MopRun> => {
    lab = await createLab({ leaves: 2 });
    const { child, done } = startMop(["push", policy.policy, ...lab.options, "-o", "json"]);
    await until("a connection", () => lab.link.connections > 0);
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    strike(child.pid!);
    return done;
  };
  const expectNothingLeft = () =>
    expect
      .poll(() => [...lab.hosts.values()].flatMap((host) => host.pids), { timeout: CLEAN_WITHIN_MS })
      .toEqual([]);

  for (const [name, { strike, at, unhurt }] of Object.entries(FAULTS))
    for (const moment of MOMENTS)
      test(`${name} after ${moment} ms costs the hosts behind it at most, and leaves nothing`, async () => {
        const run = await pushWith(moment, () => strike(lab));
        const { hosts } = summaryOf(run);
        expect(Object.keys(hosts).sort()).toEqual(["l1", "l2"]);
        for (const [host, { changed, failed, unreachable }] of Object.entries(hosts)) {
          expect(failed).toBe(0);
          if (!unreachable) expect(changed, host).toBe(RESOURCES);
        }
        for (const host of unhurt) expect(hosts[host]).toMatchObject({ unreachable: false });
        const lost = unreachableOf(run);
        expect(lost.map(({ host }) => host).sort()).toEqual(
          Object.keys(hosts)
            .filter((host) => hosts[host]?.unreachable)
            .sort(),
        );
        for (const event of lost) {
          expect(at).toContain(event.at);
          expect(event.reason).toMatch(/^\S[^\n]+$/);
        }
        expect(run.status).toBe(lost.length > 0 ? 4 : 0);
        expect(run.stderr).toBe("");
        await expectNothingLeft();
      });

  for (const moment of MOMENTS) {
    test(`Ctrl-C after ${moment} ms ends on every host with status 130`, async () => {
      const run = await pushWith(moment, (pid) => process.kill(pid, "SIGINT"));
      const { hosts } = summaryOf(run);
      expect(Object.keys(hosts).sort()).toEqual(["l1", "l2"]);
      expect(run.status).toBe(130);
      await expectNothingLeft();
    });

    test(`a controller killed after ${moment} ms leaves nothing behind`, async () => {
      await pushWith(moment, (pid) => process.kill(pid, "SIGKILL"));
      await expectNothingLeft();
    });
  }
});

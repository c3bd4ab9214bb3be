import { afterAll, describe, expect, test } from "vitest";
import { until } from "../../support/alive.js";
import { createLab } from "../../support/lab.js";
import { built, startMop, unreachableOf } from "../../support/mop.js";
import { policyFolder, rolePolicy } from "../../support/policies.js";

const policy = policyFolder(rolePolicy('await shell("echo out"); await shell("sleep 60");'));
afterAll(() => policy.remove());

// A node behind it hears of the end of the bytes before anybody hears of the session that they went through
describe.skipIf(!built)("the way to a bastion that is a jump is cut while roles run", () => {
  test.each([
    ["jump", "jump"],
    ["jump", "relay"],
  ])("and every host behind it is lost there (%s, %s)", async (b1, b2) => {
    const hosts = { b1: { vars: { mop_hop: b1 } }, b2: { vars: { mop_hop: b2 } } };
    const lab = await createLab({ leaves: 2, hosts });
    const begun = new Set<string>();
    const running = startMop(["push", policy.policy, ...lab.options, "-o", "json"], {
      onEvent: (event) => {
        if (event.event === "resource") begun.add(event.host);
      },
    });
    try {
      await until("both roles", () => begun.size === 2, 50_000);
      lab.link.cut();
      const run = await running.done;
      expect(run.status).toBe(4);
      expect(unreachableOf(run).map(({ host, at }) => [host, at])).toEqual(
        expect.arrayContaining([
          ["l1", "b1"],
          ["l2", "b1"],
        ]),
      );
      for (const { host, reason } of unreachableOf(run))
        expect(reason).toMatch(
          new RegExp(`^the node on ${host} is lost \\(the connection to b1 ended .+ a new run `),
        );
    } finally {
      running.child.kill("SIGKILL");
      await lab.close();
    }
  });
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mop, resourcesOf, startMop, summaryOf } from "../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../support/policies.js";
import { type ContainerLab, createContainerLab } from "./support/container-lab.js";
import { findEngine } from "./support/engine.js";

const engine = await findEngine();

/** A container can't restart itself: the test does it when this file is there. */
const BODY = `
    await shell("echo before >>/srv/log");
    if (host.name === "l1") await reboot("a new kernel", { command: "touch /srv/restart-me", wait: 60 });
    await shell("echo after >>/srv/log");
    await file("/srv/done", { content: "done\\n" });
`;

describe.skipIf("missing" in engine)(
  `a role that restarts an OpenSSH host behind two bastions ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    let lab: ContainerLab;
    let policy: PolicyFolder;
    beforeAll(async () => {
      if ("missing" in engine) return;
      policy = policyFolder(rolePolicy(BODY).replace("shell, echo }", "shell, reboot, echo }"));
      lab = await createContainerLab({ image: engine.image, leaves: { l1: {}, l2: {} } });
    });
    afterAll(async () => {
      policy?.remove();
      await lab?.close();
    });

    test("waits for it over the same route and goes on; nothing is done twice, the other host doesn't mind", async () => {
      const running = startMop(["push", policy.policy, ...lab.options, "-o", "json"]);
      const l1 = lab.host("l1");
      await l1.sh("timeout 120 sh -c 'until [ -e /srv/restart-me ]; do sleep 0.2; done'");
      await l1.container.restart({ timeout: 0 });
      const run = await running.done;
      expect(run.status, run.stderr + run.stdout).toBe(0);
      expect(await l1.sh("cat /srv/log /srv/done")).toBe("before\nafter\ndone\n");
      expect(resourcesOf(run, "l1").map(({ type, status }) => `${type} ${status}`)).toEqual([
        ...["shell changed", "reboot changed", "shell changed", "file changed"],
      ]);
      expect(summaryOf(run).hosts).toMatchObject({
        l1: { changed: 4, failed: 0 },
        l2: { changed: 3, failed: 0 },
      });
    });

    test("under --check restarts nothing", async () => {
      const checked = await mop(["push", policy.policy, ...lab.options, "-o", "json", "--check"]);
      expect(checked.status, checked.stderr).toBe(0);
      expect(resourcesOf(checked, "l1").map(({ type, status }) => `${type} ${status}`)).toContain(
        "reboot changed",
      );
    });
  },
);

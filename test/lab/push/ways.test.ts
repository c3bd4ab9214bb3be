import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { RouteEvent } from "../../../engine/controller/run/ping-routes.js";
import { until } from "../../support/alive.js";
import { createLab, type Lab, type LabOptions } from "../../support/lab.js";
import {
  built,
  connectedOf,
  type MopRun,
  mop,
  startMop,
  summaryOf,
  unreachableOf,
} from "../../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../../support/policies.js";

/** Hosts behind l1 wait for the test before they are contacted; `second` goes to all of them once more. */
const POLICY = `
import { existsSync } from "node:fs";
import { definePolicy, defineRole } from "mop";
const first = defineRole({
  name: "first",
  async main({ file, vars }) { await file(\`\${vars.root}/first\`, { content: "1" }); },
});
const second = defineRole({
  name: "second",
  async main({ file, vars }) { await file(\`\${vars.root}/second\`, { content: "2" }); },
});
export default definePolicy({
  roles: [
    {
      role: first,
      groups: ["web"],
      serial: 1,
      async beforeContact({ name, vars }) {
        while (name !== "l1" && vars.go !== undefined && !existsSync(String(vars.go)))
          await new Promise((resolve) => setTimeout(resolve, 20));
      },
    },
    { role: second, groups: ["web"] },
  ],
});
`;

describe.skipIf(!built)("hosts behind two bastions side by side", () => {
  let lab: Lab;
  let policy: PolicyFolder;
  beforeAll(() => {
    policy = policyFolder(POLICY);
  });
  afterAll(() => policy.remove());
  afterEach(() => lab.close());

  const setUp = async (options: LabOptions = {}, via = "b1|b2") => {
    const leaf = { vars: { mop_via: via, go: "" } };
    lab = await createLab({
      leaves: 3,
      ...options,
      hosts: { b2: { vars: { mop_via: "" } }, l1: leaf, l2: leaf, l3: leaf, ...options.hosts },
    });
    // What the hosts wait for lies in the lab's folder, which is known only now
    const go = path.join(lab.folder, "go");
    writeFileSync(lab.inventoryFile, lab.inventoryToml.replaceAll('go = ""', `go = ${JSON.stringify(go)}`));
    return go;
  };
  const args = () => ["push", policy.policy, ...lab.options, "-o", "json", "--connect-timeout", "15"];
  const expectAllDone = (run: MopRun) => {
    expect(unreachableOf(run), run.stderr).toEqual([]);
    expect(run.status, run.stdout + run.stderr).toBe(0);
    for (const leaf of ["l1", "l2", "l3"])
      expect(summaryOf(run).hosts[leaf]).toMatchObject({ changed: 2, failed: 0 });
  };

  test("go through the first; the second one is not logged in to", async () => {
    writeFileSync(await setUp(), "");
    const run = await mop(args());
    expectAllDone(run);
    expect(connectedOf(run).map(({ route }) => route)).toEqual([
      ["b1", "l1"],
      ["b1", "l2"],
      ["b1", "l3"],
    ]);
    expect(lab.host("b2").logins).toBe(0);
  });

  test.each([
    ["listens no more", {}, (one: Lab) => one.link.close()],
    ["refuses the login", { acceptsKey: false }, async () => undefined],
    ["has no Node and has to be a relay", { path: "", vars: { mop_hop: "relay" } }, async () => undefined],
  ] as const)("go through the second when the first %s, and say so", async (_name, b1, strike) => {
    writeFileSync(await setUp({ hosts: { b1 } }), "");
    await strike(lab);
    const run = await mop(args());
    expectAllDone(run);
    const connected = connectedOf(run);
    expect(connected.map(({ route }) => route)).toEqual([
      ["b2", "l1"],
      ["b2", "l2"],
      ["b2", "l3"],
    ]);
    expect(connected[0]!.detours).toEqual([{ at: "b1", reason: expect.stringMatching(/b1|127\.0/) }]);
    expect(connected.slice(1).some((event) => event.detours)).toBe(false);
  });

  test("go through the second when the first is lost in the middle of a run, those that were connected too", async () => {
    const go = await setUp();
    let cut = false;
    const { done } = startMop(args(), {
      onEvent(event) {
        if (event.event !== "role" || event.host !== "l1" || cut) return;
        cut = true;
        void lab
          .host("b1")
          .close()
          .then(() => writeFileSync(go, ""));
      },
    });
    const run = await done;
    expect(cut).toBe(true);
    expectAllDone(run);
    expect(connectedOf(run).map(({ route }) => route)).toEqual([
      ["b1", "l1"],
      ["b2", "l2"],
      ["b2", "l3"],
    ]);
  });

  /** In ms after the first connection: while b1 boots, while the leaves do, while the role runs. */
  test.each([60, 200, 350, 500])(
    "are done once or lost, never done twice, when the first way is cut after %i ms",
    async (afterMs) => {
      const count = policyFolder(
        rolePolicy("await shell(`sleep 0.2; echo done >> ${vars.root}/count`); void vars;"),
      );
      writeFileSync(await setUp({ leaves: 6, delayMs: 20 }), "");
      // The leaves that `setUp` says nothing of
      const toml = readFileSync(lab.inventoryFile, "utf8").replace(
        '[groups.web.vars]\nmop_via = "b2"',
        '[groups.web.vars]\nmop_via = "b1|b2"',
      );
      writeFileSync(lab.inventoryFile, toml);
      const { done } = startMop(["push", count.policy, ...args().slice(2)]);
      await until("a connection", () => lab.link.connections > 0);
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      lab.link.cut();
      const run = await done;
      count.remove();
      const lost = unreachableOf(run).map(({ host }) => host);
      for (const leaf of lab.leaves) {
        const file = path.join(lab.host(leaf).folder, "count");
        const times = existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
        if (lost.includes(leaf)) expect(times, leaf).toBeLessThanOrEqual(1);
        else expect(times, leaf).toBe(1);
      }
      // Only who was up before can have been lost
      const up = connectedOf(run).map(({ host }) => host);
      expect(up, run.stdout).toEqual(expect.arrayContaining(lost));
      expect([...new Set([...up, ...lost])].sort()).toEqual([...lab.leaves].sort());
      expect(run.status).toBe(lost.length > 0 ? 4 : 0);
    },
  );

  test("are unreachable with both ways named when both bastions are gone", async () => {
    writeFileSync(await setUp(), "");
    await lab.host("b1").refuse();
    await lab.host("b2").refuse();
    await lab.link.close();
    const run = await mop(["ping", ...args().slice(2)]);
    expect(run.status).toBe(4);
    expect(unreachableOf(run).map(({ reason }) => reason)).toHaveLength(3);
    for (const { host, reason } of unreachableOf(run))
      expect(reason).toMatch(
        new RegExp(`^none of the 2 ways that were tried leads to ${host} \\(over b1: .*; over b2: .*\\)$`),
      );
  });

  test("are dialled directly where the bastion is optional, which is then left alone", async () => {
    writeFileSync(await setUp({}, "?b1"), "");
    const run = await mop(["ping", ...args().slice(2), "--limit-hosts", "l*"]);
    expect(connectedOf(run).map(({ route }) => route.join(" "))).toEqual(
      expect.arrayContaining(["l1", "l2", "l3"]),
    );
    expect(lab.host("b1").logins).toBe(0);
  });

  test("are tried over every route by ping --routes, those that leave hops out too", async () => {
    writeFileSync(await setUp(), "");
    await lab.host("b2").refuse();
    const run = await mop(["ping", "--routes", ...args().slice(2), "--limit-hosts", "l1,l2"]);
    expect(run.status, run.stderr).toBe(0);
    const routes = run.stdout
      .split("\n")
      .filter((line) => line.startsWith('{"event":"route"'))
      .map((line) => JSON.parse(line) as RouteEvent);
    expect(
      routes
        .filter(({ host }) => host === "l1")
        .map(({ route, planned, possible, at }) => [route.join(" "), planned, possible, at])
        .sort(),
    ).toEqual([
      ["b1 l1", true, true, undefined],
      ["b2 l1", true, false, "b2"],
      ["l1", false, true, undefined],
    ]);
  });
});

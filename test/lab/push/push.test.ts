import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BASTION_KINDS, HOP_KINDS } from "../../../relay/mesh/types.js";
import { createLab, type Lab } from "../../support/lab.js";
import { built, changedOf, type MopRun, mop, resourcesOf, summaryOf } from "../../support/mop.js";
import { type PolicyFolder, policyFolder, SHOP, SHOP_FILES } from "../../support/policies.js";

const ALL_CHANGES = [
  "directory shop",
  "file app.conf",
  "file motd",
  "file logo.bin",
  "link current",
  expect.stringMatching(/^shell /),
];

/** What a resource did or would do, for a comparison of a plan and its push. */
const deeds = (run: MopRun) =>
  resourcesOf(run).map(({ host, type, name, status, changes, diff }) => ({
    host,
    type,
    name,
    status,
    changes,
    diff,
  }));

const byHost = (a: { host: string }, b: { host: string }) => a.host.localeCompare(b.host);

describe.skipIf(!built)("push to three leaves behind two bastions", () => {
  let lab: Lab;
  let shop: PolicyFolder;
  const push = (...args: string[]) => mop(["push", shop.policy, ...lab.options, "-o", "json", ...args]);
  const inShop = (leaf: string, name: string) => path.join(lab.host(leaf).folder, "shop", name);

  beforeAll(async () => {
    lab = await createLab({ leaves: 3 });
    shop = policyFolder(SHOP, SHOP_FILES);
  });
  afterAll(async () => {
    await lab.close();
    shop.remove();
  });

  test("--check --diff changes nothing and predicts what the push then does", async () => {
    const before = lab.leaves.map((leaf) => readdirSync(lab.host(leaf).folder).sort());
    const planned = await push("--check", "--diff");
    expect(planned.status, planned.stderr).toBe(0);
    expect(lab.leaves.map((leaf) => readdirSync(lab.host(leaf).folder).sort())).toEqual(before);
    const pushed = await push("--diff");
    expect(pushed.status, pushed.stderr).toBe(0);
    for (const leaf of lab.leaves) expect(changedOf(pushed, leaf)).toEqual(ALL_CHANGES);
    expect(deeds(pushed).sort(byHost)).toEqual(deeds(planned).sort(byHost));
  });

  test("files arrive as they are here, templates with the host's variables", () => {
    for (const leaf of lab.leaves) {
      expect(readFileSync(inShop(leaf, "logo.bin"))).toEqual(Buffer.from(SHOP_FILES["logo.bin"]));
      expect(readFileSync(inShop(leaf, "app.conf"), "utf8")).toBe(
        `# The shop\nport = 8080\nroot = ${lab.host(leaf).folder}\n`,
      );
    }
  });

  test("a second push finds nothing to change", async () => {
    const again = await push();
    expect(again.status).toBe(0);
    expect(changedOf(again)).toEqual([]);
    const { hosts } = summaryOf(again);
    for (const leaf of lab.leaves)
      expect(hosts[leaf]).toEqual({ ok: 5, changed: 0, failed: 0, skipped: 0, unreachable: false });
  });

  test("what was edited by hand on one leaf is repaired, with its diff, and nothing else", async () => {
    writeFileSync(inShop("l2", "motd"), "Go away\n");
    const planned = await push("--check", "--diff");
    expect(readFileSync(inShop("l2", "motd"), "utf8")).toBe("Go away\n");
    const pushed = await push("--diff");
    const [repair, ...others] = resourcesOf(pushed).filter((event) => event.status === "changed");
    expect(others).toEqual([]);
    expect(repair).toMatchObject({ host: "l2", type: "file", changes: ["content"] });
    expect(repair?.diff).toContain("-Go away");
    expect(repair?.diff).toContain("+Welcome");
    expect(deeds(pushed).sort(byHost)).toEqual(deeds(planned).sort(byHost));
    expect(readFileSync(inShop("l2", "motd"), "utf8")).toBe("Welcome\n");
  });

  test("a changed mode is repaired and named", async () => {
    chmodSync(inShop("l1", "app.conf"), 0o666);
    const pushed = await push();
    expect(resourcesOf(pushed, "l1").find((event) => event.status === "changed")).toMatchObject({
      type: "file",
      changes: ["mode"],
    });
    expect(statSync(inShop("l1", "app.conf")).mode & 0o7777).toBe(0o640);
  });

  test("--extra-vars win, and only what depends on them changes", async () => {
    const pushed = await push("-e", "port=9090", "--limit-hosts", "l3");
    expect(changedOf(pushed)).toEqual(["file app.conf", expect.stringMatching(/^shell /)]);
    expect(Object.keys(summaryOf(pushed).hosts)).toEqual(["l3"]);
    expect(readFileSync(inShop("l3", "app.conf"), "utf8")).toContain("port = 9090\n");
  });

  test("the links of the summary form the tree, and the first one's bytes are those of the proxy", async () => {
    lab.link.resetCounters();
    const { links } = summaryOf(await push());
    expect(links.map((link) => `${link.from} > ${link.to}`).sort()).toEqual([
      "b1 > b2",
      "b2 > l1",
      "b2 > l2",
      "b2 > l3",
      "controller > b1",
    ]);
    const first = links.find((link) => link.from === "controller");
    // What closes the link after the count was taken is all that may be missing.
    expect(lab.link.toTarget - (first?.sent ?? 0)).toBeLessThan(1000);
    expect(lab.link.toTarget).toBeGreaterThanOrEqual(first?.sent ?? Infinity);
  });

  test("each connected host says its route; nothing runs on any host afterwards", async () => {
    const run = await push();
    const connected = run.events.filter((event) => event.event === "host");
    expect(connected).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ host: "l3", state: "connected", route: ["b1", "b2", "l3"] }),
      ]),
    );
    await expect
      .poll(() => [...lab.hosts.values()].flatMap((host) => host.pids), { timeout: 10_000 })
      .toEqual([]);
  });
});

describe.skipIf(!built)("a push passes its bastions", () => {
  let lab: Lab;
  let shop: PolicyFolder;
  beforeAll(() => {
    shop = policyFolder(SHOP, SHOP_FILES);
  });
  afterAll(() => shop.remove());

  test("of every kind there is, but for this machine, which stands before no other", () => {
    expect([...BASTION_KINDS, "command", "local"].sort()).toEqual([...HOP_KINDS].sort());
  });

  for (const hop of BASTION_KINDS) {
    test(`as ${hop}`, async () => {
      lab = await createLab({ leaves: 2 });
      try {
        const args = ["push", shop.policy, ...lab.options, "-o", "json", "--hop", hop];
        const first = await mop(args);
        expect(first.status, first.stderr).toBe(0);
        for (const leaf of lab.leaves) expect(changedOf(first, leaf)).toEqual(ALL_CHANGES);
        const second = await mop(args);
        expect(changedOf(second)).toEqual([]);
      } finally {
        await lab.close();
      }
    });
  }

  // A program in the place of `docker exec`: it refuses what it doesn't know and becomes its arguments.
  const ENTER = '[ "$1" = in ] || exit 9; shift; [ "$1" = -- ] || exit 9; shift; exec "$@"';
  const HOPS = ["relay", "sealed"] as const;
  for (const [names, hop] of [["b1"], ["b2"], ["l1"], ["b2", "l1"], ["b1", "b2", "l1"]].flatMap((list) =>
    HOPS.map((kind) => [list, kind] as const),
  )) {
    test(`where a command leads into ${names.join(", ")}, the other bastions ${hop}`, async () => {
      const enter = shop.write("enter", `#!/bin/sh\n${ENTER}\n`);
      chmodSync(enter, 0o755);
      const vars = { mop_hop: "command", mop_command: `${enter} in --`, mop_user: "" };
      lab = await createLab({
        leaves: 2,
        hosts: Object.fromEntries(names.map((name) => [name, { vars }])),
      });
      try {
        const args = ["push", shop.policy, ...lab.options, "-o", "json", "--hop", hop];
        const first = await mop(args);
        expect(first.status, first.stderr).toBe(0);
        for (const leaf of lab.leaves) expect(changedOf(first, leaf)).toEqual(ALL_CHANGES);
        expect(changedOf(await mop(args))).toEqual([]);
        const ping = await mop(["ping", ...lab.options, "-o", "json", "--hop", hop]);
        expect(ping.status, ping.stderr).toBe(0);
        expect(await mop(["inventory", ...lab.options])).toMatchObject({
          stdout: expect.stringContaining(`${names[0]} (${enter} in --)`),
        });
      } finally {
        await lab.close();
      }
    });
  }

  test("as --via names them, whatever the inventory says", async () => {
    lab = await createLab({ leaves: 1, hosts: { l1: { vars: { mop_via: "nowhere" } } } });
    try {
      const run = await mop(["push", shop.policy, ...lab.options, "-o", "json", "--via", "b1,b2"]);
      expect(run.status, run.stderr).toBe(0);
      expect(changedOf(run, "l1")).toEqual(ALL_CHANGES);
    } finally {
      await lab.close();
    }
  });

  for (const pace of ["plain", "conformant", "eager"]) {
    test(`at the pace ${pace}, over a link of 50 ms`, async () => {
      lab = await createLab({ leaves: 2, delayMs: 25 });
      try {
        const run = await mop(["push", shop.policy, ...lab.options, "-o", "json", "--pace", pace]);
        expect(run.status, run.stderr).toBe(0);
        for (const leaf of lab.leaves) expect(changedOf(run, leaf)).toEqual(ALL_CHANGES);
      } finally {
        await lab.close();
      }
    });
  }

  test("though every host is chatty before, beside and at its login", async () => {
    const chatty = { noise: "Welcome!\n\x1b[31mred\x00", stderrNoise: "warning: x\n", banner: "Keep out\n" };
    lab = await createLab({ leaves: 1, hosts: { b1: chatty, b2: chatty, l1: chatty } });
    try {
      const run = await mop(["push", shop.policy, ...lab.options, "-o", "json"]);
      expect(run.status, run.stderr).toBe(0);
      expect(changedOf(run, "l1")).toEqual(ALL_CHANGES);
    } finally {
      await lab.close();
    }
  });
});

import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { connectedOf, type MopRun, mop, startMop, summaryOf, unreachableOf } from "../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../support/policies.js";
import { LAB_USER } from "./support/container-host.js";
import { type ContainerLab, createContainerLab } from "./support/container-lab.js";
import { findEngine } from "./support/engine.js";
import { CLEAN_WITHIN_MS, processesOf } from "./support/looks.js";

const engine = await findEngine();

/** Names of the inventory, all of them at the door of one sshd, whose limits are its defaults. */
const NAMES = Array.from({ length: 100 }, (_, i) => `h${String(i + 1).padStart(3, "0")}`);

/** Hosts are at work until the test lets go of the lock. */
const BODY = `
    await shell("flock --shared /tmp/lock true");
    await file("/srv/" + host.name, { content: "1" });
`;

describe.skipIf("missing" in engine)(
  `100 logins at one OpenSSH server with its default settings ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    let lab: ContainerLab;
    let toml: string;
    let policy: PolicyFolder;
    let options: string[];
    beforeAll(async () => {
      if ("missing" in engine) return;
      policy = policyFolder(rolePolicy(BODY));
      // Verbose only, so that every connection that is dropped is in its log
      const sshd = "LogLevel VERBOSE";
      lab = await createContainerLab({
        image: engine.image,
        bastions: 1,
        beside: ["alt1"],
        leaves: { leaf: { sshd } },
      });
      // Those at the end of the queue wait for a hundred nodes on one machine
      options = [...lab.options, "-o", "json", "--connect-timeout", "100"];
      toml = readFileSync(lab.inventoryFile, "utf8");
    });
    afterAll(async () => {
      policy?.remove();
      await lab?.close();
    });

    /** These names for the one leaf, each with its ways; b1 is a hop of this kind. */
    const inventory = (vias: Readonly<Record<string, string>>, hop = "relay") => {
      const names = Object.entries(vias).map(
        ([name, via]) => `${name} = { mop_host = "leaf", mop_via = "${via}" }`,
      );
      const text = toml
        .replace("[hosts.b1.vars]", `[hosts.b1.vars]\nmop_hop = "${hop}"`)
        .replace(/^leaf = .*$/m, names.join("\n"));
      writeFileSync(lab.inventoryFile, text);
    };

    test.each(["relay", "jump"])("come up behind a %s, and none is refused", async (kind) => {
      inventory(Object.fromEntries(NAMES.map((name) => [name, "b1"])), kind);
      const before = await lab.host("leaf").log();
      const run = await mop(["ping", ...options, "--limit-groups", "web"]);
      expect(unreachableOf(run)).toEqual([]);
      expect(run.status, run.stderr).toBe(0);
      expect(connectedOf(run)).toHaveLength(NAMES.length);
      const log = (await lab.host("leaf").log()).slice(before.length);
      expect(log.match(/Accepted publickey/g)).toHaveLength(NAMES.length);
      expect(log).not.toMatch(/drop connection|MaxStartups/);
    });

    test("show their keys to mop trust, over three connections each", async () => {
      const some = NAMES.slice(0, 25);
      inventory(Object.fromEntries(some.map((name) => [name, "b1"])));
      const run = await mop(["trust", some.join(","), ...options, "--yes"]);
      expect(run.status, run.stdout + run.stderr).toBe(0);
      expect(run.stdout.match(/"outcome":"known"/g)).toHaveLength(some.length);
    });

    describe("whose first bastion is lost when 50 are connected", () => {
      const names = NAMES.slice(0, 65);
      const [onlyHere, onlyThere, both] = [names.slice(0, 10), names.slice(10, 15), names.slice(15)];
      let run: MopRun;
      let early: string[] = [];
      beforeAll(async () => {
        if ("missing" in engine) return;
        inventory(
          Object.fromEntries([
            ...onlyHere.map((name) => [name, "b1"]),
            ...onlyThere.map((name) => [name, "alt1"]),
            ...both.map((name) => [name, "b1|alt1"]),
          ]),
        );
        const held = lab
          .host("leaf")
          .sh("flock /tmp/lock sh -c 'touch /tmp/held; until [ -e /tmp/go ]; do sleep 0.1; done'", LAB_USER);
        // No role is done with it before it is held.
        await lab.host("leaf").sh("timeout 60 sh -c 'until [ -e /tmp/held ]; do sleep 0.1; done'");
        const settled = new Set<string>();
        const lost = new Set<string>();
        let released: Promise<void> | undefined;
        const release = async () => {
          const leaf = lab.host("leaf");
          // A node behind the lost bastion ends a little after the controller has said so, and may not do its role then.
          const isOver = async () => (await leaf.nodePids()).length === names.length - lost.size;
          await vi
            .waitUntil(isOver, { timeout: 60_000, interval: 100 })
            .finally(() => leaf.sh("touch /tmp/go"));
        };
        const { done } = startMop(["push", policy.policy, ...options], {
          onEvent(event) {
            if (event.event !== "host") return;
            settled.add(event.host);
            if (event.state === "unreachable") lost.add(event.host);
            if (settled.size >= 50 && early.length === 0) {
              early = [...settled];
              lab.link.cut();
            }
            if (settled.size < names.length || released) return;
            released = release();
            released.catch(() => undefined);
          },
        });
        run = await done;
        await Promise.all([held, released]);
      });

      const routeOf = (name: string) => connectedOf(run).findLast(({ host }) => host === name)?.route;

      test("those behind it are unreachable at it, for a reason in one sentence; status 4", () => {
        const lost = unreachableOf(run);
        expect(lost.map(({ host }) => host)).toEqual(expect.arrayContaining(onlyHere));
        for (const { host, at, reason } of lost) {
          expect(at, `${host}: ${reason}`).toBe("b1");
          expect(reason).toMatch(/^.*b1.*$/);
          expect(summaryOf(run).hosts[host], host).toMatchObject({ unreachable: true, changed: 0 });
        }
        expect(run.status, run.stderr).toBe(4);
      });

      test("those that were not connected yet go over the alternative, and say why", () => {
        const lost = unreachableOf(run).map(({ host }) => host);
        const late = both.filter((name) => !early.includes(name) && !lost.includes(name));
        expect(late.length).toBeGreaterThan(3);
        for (const name of late) expect(routeOf(name)).toEqual(["alt1", name]);
        const detours = connectedOf(run).flatMap((event) => event.detours ?? []);
        expect(detours).not.toEqual([]);
        for (const detour of detours)
          expect(detour).toEqual({ at: "b1", reason: expect.stringMatching(/b1/) });
      });

      test("every host is lost or has done its role, and those that never needed the bastion have", async () => {
        const lost = unreachableOf(run).map(({ host }) => host);
        const done = names.filter((name) => !lost.includes(name));
        expect(done).toEqual(expect.arrayContaining(onlyThere));
        for (const name of done)
          expect(summaryOf(run).hosts[name], name).toMatchObject({
            changed: 2,
            failed: 0,
            unreachable: false,
          });
        expect((await lab.host("leaf").sh("ls /srv")).trim().split("\n")).toEqual(done);
        // Who has another way was lost only if it was up over the first one
        for (const name of lost)
          if (!onlyHere.includes(name)) expect(routeOf(name), name).toEqual(["b1", name]);
      });

      test("nothing is left running", () =>
        expect.poll(() => processesOf(lab), { timeout: CLEAN_WITHIN_MS, interval: 500 }).toEqual([]));
    });
  },
);

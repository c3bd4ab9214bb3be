import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type MopRun, mop, resourcesOf, summaryOf, unreachableOf } from "../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../support/policies.js";
import type { ContainerHostOptions } from "./support/container-host.js";
import { type ContainerLab, createContainerLab } from "./support/container-lab.js";
import { findEngine } from "./support/engine.js";
import { CLEAN_WITHIN_MS, processesOf } from "./support/looks.js";

const engine = await findEngine();

/** A program in the place of Node that is one of version 14 as far as anyone can ask it. */
const OLD_NODE = `rm -f /usr/bin/node /usr/bin/nodejs
printf '#!/bin/sh\\ncase $1 in -v|--version) echo v14.21.3;; *) exit 9;; esac\\n' >/usr/bin/node; chmod 755 /usr/bin/node`;

/** Text, colours and half a line on both outputs, as a .bashrc without a guard gives it to every command. */
const NOISY = `printf 'echo "Welcome to $HOSTNAME"\\nprintf "\\\\033[31mred\\\\033[0m no line end"\\necho careful >&2\\n' \
  >/home/deploy/.bashrc`;

const LEAVES: Record<string, ContainerHostOptions> = {
  good: {},
  noisy: { prepare: NOISY },
  nonode: { prepare: "rm -f /usr/bin/node /usr/bin/nodejs" },
  oldnode: { prepare: OLD_NODE },
  elsewhere: { vars: { mop_node: "/opt/node-20/bin/node" } },
  otherkey: { knownAs: "another" },
  unknown: { knownAs: "unknown" },
  refuses: { prepare: ": >/lab/authorized_keys" },
  closed: { vars: { mop_port: 2222 } },
  nameless: { vars: { mop_host: "no-such-host.invalid" } },
  full: { tmpfs: { "/srv": "size=64k,mode=1777" } },
};

/** What the sentence of each unreachable host must say. */
const REASONS: Record<string, RegExp> = {
  nonode: /no Node.*tried.*node.*mop_node/i,
  oldnode: /\/usr\/bin\/node.*v14\.21\.3/,
  elsewhere: /Node.*\/opt\/node-20\/bin\/node/,
  otherkey: /key SHA256:.*known_hosts.*has another/,
  unknown: /known_hosts/,
  refuses: /refused|accept/i,
  closed: /refused/i,
  nameless: /no-such-host\.invalid/,
};

/** 1 MB doesn't fit on the small file system of `full`; what is there already does. */
const BODY = `
    await file("/srv/kept", { content: "as it was\\n" });
    await file("/srv/kept", { content: "x".repeat(1_000_000) });
`;

describe.skipIf("missing" in engine)(
  `hosts that are out of order, each in its own way ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    let lab: ContainerLab;
    let policy: PolicyFolder;
    let run: MopRun;
    beforeAll(async () => {
      if ("missing" in engine) return;
      policy = policyFolder(rolePolicy(BODY));
      lab = await createContainerLab({ image: engine.image, leaves: LEAVES });
      run = await mop([
        ...["push", policy.policy, ...lab.options, "-o", "json"],
        ...["--connect-timeout", "20"],
      ]);
      if (run.status === 1) throw new Error(run.stderr);
    });
    afterAll(async () => {
      policy?.remove();
      await lab?.close();
    });

    for (const [leaf, reason] of Object.entries(REASONS))
      test(`${leaf}: unreachable at itself, for a reason in one sentence`, () => {
        const lost = unreachableOf(run).filter((event) => event.host === leaf);
        expect(lost).toEqual([
          {
            event: "host",
            host: leaf,
            state: "unreachable",
            at: leaf,
            code: expect.any(String),
            reason: expect.stringMatching(reason),
          },
        ]);
        expect(lost[0]?.reason.trim().split("\n")).toHaveLength(1);
        expect(summaryOf(run).hosts[leaf]).toMatchObject({ unreachable: true, changed: 0 });
      });

    for (const leaf of ["good", "noisy"])
      test(`${leaf}: does all its work beside them`, async () => {
        expect(summaryOf(run).hosts[leaf]).toMatchObject({ changed: 2, failed: 0, unreachable: false });
        expect(await lab.host(leaf).sh("stat -c %s /srv/kept")).toBe("1000000\n");
      });

    test("full: the resource fails with one sentence, the old file is whole, nothing half written is left", async () => {
      expect(resourcesOf(run, "full").map((event) => event.status)).toEqual(["changed", "failed"]);
      const { error = "" } = resourcesOf(run, "full").at(-1)!;
      expect(error).toMatch(/no space|full/i);
      expect(error.split("\n")).toHaveLength(1);
      expect(await lab.host("full").sh("cat /srv/kept")).toBe("as it was\n");
      expect(await lab.host("full").sh("ls -A /srv")).toBe("kept\n");
    });

    test("all together: status 2, a failure outranks the unreachable", () => {
      expect(run.status).toBe(2);
      expect(Object.keys(summaryOf(run).hosts).sort()).toEqual(Object.keys(LEAVES).sort());
    });

    test("without the failure: status 4", async () => {
      const rest = await mop([
        ...["push", policy.policy, ...lab.options, "-o", "json"],
        ...["--limit-hosts", "good,nonode,refuses"],
      ]);
      expect(rest.status).toBe(4);
    });

    test("a next hop that nobody has: every leaf is lost there, status 4", async () => {
      const lost = await mop([
        ...["push", policy.policy, ...lab.options, "-o", "json", "--via", "b1,deploy@192.0.2.1"],
        ...["--limit-hosts", "good,noisy", "--connect-timeout", "10"],
      ]);
      expect(lost.status, lost.stderr).toBe(4);
      expect(
        unreachableOf(lost)
          .map((event) => event.host)
          .sort(),
      ).toEqual(["good", "noisy"]);
      for (const event of unreachableOf(lost)) expect(event.at).toMatch(/192\.0\.2\.1/);
    });

    test("nothing is left running on any host", async () => {
      await expect.poll(() => processesOf(lab), { timeout: CLEAN_WITHIN_MS, interval: 500 }).toEqual([]);
    });
  },
);

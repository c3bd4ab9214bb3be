import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { TrustEvent } from "../../../engine/controller/run/trust-hosts.js";
import { createLab, type Lab, type LabOptions } from "../../support/lab.js";
import { built, type MopRun, mop, unreachableOf } from "../../support/mop.js";
import { answering, hasTerminal } from "../../support/terminal.js";

const UNKNOWN = { knownAs: "unknown" } as const;

describe.skipIf(!built)("mop trust", () => {
  let lab: Lab;
  afterEach(() => lab.close());

  const start = async (options: LabOptions = {}) => {
    lab = await createLab({ leaves: 2, ...options });
  };
  const trust = (...args: string[]) => mop(["trust", ...lab.options, "-o", "json", ...args]);
  const trusted = (run: MopRun): TrustEvent[] =>
    (run.events as readonly object[] as readonly TrustEvent[]).filter(({ event }) => event === "trust");
  const known = () => readFileSync(lab.knownHostsFile, "utf8");
  /** As known_hosts has it; the first host of all ways stands behind the lab's link */
  const nameOf = (name: string) => {
    const host = lab.host(name);
    return name === (lab.bastions[0] ?? lab.leaves[0])
      ? `[${lab.link.host}]:${lab.link.port}`
      : `[${host.address}]:${host.port}`;
  };

  test.each(["relay", "sealed", "jump"])(
    "records the keys of hosts behind each other in one go, whatever their order, passed as %s; a push follows",
    async (hop) => {
      await start({ hosts: { b1: UNKNOWN, b2: UNKNOWN, l1: UNKNOWN, l2: UNKNOWN } });
      const run = await trust("l1,b1,b2", "--yes", "--hop", hop);
      expect(run.status, run.stdout + run.stderr).toBe(0);
      expect(trusted(run).map(({ host, outcome }) => [host, outcome])).toEqual([
        ["b1", "recorded"],
        ["b2", "recorded"],
        ["l1", "recorded"],
      ]);
      // Those on the way were logged in to, the one that was only asked was not
      expect(lab.host("l1").logins).toBe(0);
      const told = execFileSync("ssh-keygen", ["-l", "-f", lab.knownHostsFile], { encoding: "utf8" });
      for (const { name, host, keys } of trusted(run)) {
        expect(name).toBe(nameOf(host));
        for (const { bits, fingerprint } of keys) expect(told).toContain(`${bits} ${fingerprint} ${name} (`);
      }
      const ping = await mop(["ping", ...lab.options, "-o", "json", "--limit-hosts", "l1"]);
      expect(ping.status, ping.stdout).toBe(0);
      const again = await trust("b1,b2,l1", "--yes");
      expect(trusted(again).map(({ outcome }) => outcome)).toEqual(["known", "known", "known"]);
    },
  );

  test("records many hosts behind one bastion, each once", async () => {
    const leaves = Array.from({ length: 20 }, (_, index) => `l${index + 1}`);
    const hosts = Object.fromEntries(leaves.map((name) => [name, UNKNOWN]));
    await start({ bastions: 1, leaves: leaves.length, hosts });
    const run = await trust([...leaves, ...leaves].join(","), "--yes");
    expect(run.status, run.stdout).toBe(0);
    expect(trusted(run).map(({ host, outcome }) => `${host} ${outcome}`)).toEqual(
      leaves.map((name) => `${name} recorded`),
    );
    for (const name of leaves) expect(known().split(`${nameOf(name)} ssh-ed25519 `)).toHaveLength(2);
    expect(lab.host("b1").logins).toBe(1);
  });

  test("doesn't lead through a bastion that is unknown and not in the list", async () => {
    await start({ hosts: { b2: UNKNOWN, l1: UNKNOWN } });
    const before = known();
    const run = await trust("l1", "--yes");
    expect(run.status).toBe(4);
    expect(unreachableOf(run)).toMatchObject([
      { host: "l1", at: "b2", reason: expect.stringContaining("have it added by mop trust") },
    ]);
    expect(known()).toBe(before);
  });

  test("names file and line of a key that has changed, and replaces nothing; other hosts are recorded", async () => {
    await start({ hosts: { l1: { knownAs: "another" }, l2: UNKNOWN } });
    const before = known();
    const line = before.split("\n").findIndex((text) => text.startsWith(`${nameOf("l1")} `)) + 1;
    const run = await trust("l1,l2", "--yes");
    expect(run.status).toBe(4);
    expect(unreachableOf(run)).toMatchObject([
      { host: "l1", reason: expect.stringContaining(`${lab.knownHostsFile}, line ${line} has another`) },
    ]);
    expect(trusted(run)).toMatchObject([{ host: "l2", outcome: "recorded", route: ["b1", "b2", "l2"] }]);
    expect(known().startsWith(before)).toBe(true);
    expect(known().slice(before.length)).toMatch(/^\[127\.[\d.]+\]:\d+ ssh-ed25519 \S+\n$/);
  });

  test("says at which host a refused connection ended", async () => {
    await start({ hosts: { l1: UNKNOWN } });
    await lab.host("l1").refuse();
    const run = await trust("l1", "--yes");
    expect(run.status).toBe(4);
    expect(unreachableOf(run)).toMatchObject([
      { host: "l1", at: "l1", reason: expect.stringMatching(/^b2 can't connect to .*refused/) },
    ]);
  });

  test("hashes names with HashKnownHosts, as OpenSSH does, and OpenSSH finds them", async () => {
    await start({ bastions: 0, hosts: { l1: UNKNOWN, l2: UNKNOWN } });
    const config = path.join(lab.folder, "ssh_config");
    writeFileSync(config, "Host *\n  HashKnownHosts yes\n");
    const run = await trust("l1", "--yes", "-F", config);
    expect(run.status, run.stderr).toBe(0);
    expect(known()).toMatch(/^\n?\|1\|\S+ ssh-ed25519 \S+\n$/);
    const args = ["-F", nameOf("l1"), "-f", lab.knownHostsFile];
    expect(execFileSync("ssh-keygen", args, { encoding: "utf8" })).toContain("found: line");
  });

  test("without a terminal asks for --yes before it contacts anything", async () => {
    await start({ hosts: { b1: UNKNOWN } });
    const run = await trust("b1");
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("--yes records what the hosts show without asking");
  });

  test.skipIf(!hasTerminal).each([
    ["y\r", 0, /recorded in /],
    ["n\r", 2, /not recorded/],
    ["\x04", 2, /not recorded/],
    ["\x03", 130, /interrupted/],
  ] as const)("asks on a terminal: %j", async (keys, wanted, said) => {
    await start({ bastions: 1, hosts: { b1: UNKNOWN } });
    const before = known();
    const { screen, status } = await answering("[y/N]", keys, ["trust", "b1", ...lab.options], {
      HOME: lab.folder,
    });
    expect(status, screen).toBe(wanted);
    expect(screen).toMatch(/ {2}b1 {2}256 SHA256:\S{43} \[127\.\S+\]:\d+ \(ED25519\)/);
    expect(screen).toMatch(said);
    expect(known() === before).toBe(wanted !== 0);
  });
});

import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { createLab, type Lab, type LabOptions } from "../../support/lab.js";
import { built, mop, unreachableOf } from "../../support/mop.js";

/** What a server at its limits, or one that says no, gets of connections. */
describe.skipIf(!built)("a server's door", () => {
  const labs: Lab[] = [];
  afterEach(async () => {
    for (const lab of labs.splice(0)) await lab.close();
  });
  const start = async (options: LabOptions) => {
    const lab = await createLab({ bastions: 1, leaves: 1, ...options });
    labs.push(lab);
    return lab;
  };
  const ping = (lab: Lab, ...args: string[]) =>
    mop(["ping", ...lab.options, "-o", "json", "--limit-groups", "web", ...args]);

  test("is tried again after a text and after a reset, from here and behind each kind of bastion", async () => {
    const kinds = ["relay", "sealed", "jump"];
    const runs = kinds.map(async (kind) => {
      const lab = await start({ hosts: { b1: { drops: 1 }, l1: { drops: 2 } } });
      const run = await ping(lab, "--hop", kind);
      const made = ["b1", "l1"].map((name) => [lab.host(name).connections, lab.host(name).logins]);
      return [kind, run.status, ...made];
    });
    const tried = [
      [2, 1],
      [3, 1],
    ];
    expect(await Promise.all(runs)).toEqual(kinds.map((kind) => [kind, 0, ...tried]));
  });

  test("is tried again by mop trust, each of its connections", async () => {
    const lab = await start({ hosts: { l1: { drops: 4, knownAs: "unknown" } } });
    const run = await mop(["trust", "l1", ...lab.options, "-o", "json", "--yes"]);
    expect(run.status, run.stdout).toBe(0);
    // One for each kind of key, and those that were dropped
    expect(lab.host("l1").connections).toBe(3 + 4);
    expect(readFileSync(lab.knownHostsFile, "utf8")).toContain(`:${lab.host("l1").port} ssh-ed25519 `);
  });

  test("that refuses the key gets one login that guesses and one that doesn't, with --pace plain just that", async () => {
    const tries = ["eager", "conformant", "plain"].map(async (pace) => {
      const lab = await start({ hosts: { l1: { acceptsKey: false } } });
      const run = await ping(lab, "--pace", pace);
      expect(unreachableOf(run)[0]).toMatchObject({ at: "l1", reason: expect.stringMatching(/refused/) });
      return lab.host("l1").connections;
    });
    expect(await Promise.all(tries)).toEqual([2, 2, 1]);
  });

  test.each([
    ["shows another key than known_hosts has", { knownAs: "another" }, /known_hosts/],
    ["shows a key that nobody knows", { knownAs: "unknown" }, /known_hosts/],
    ["lets us in, but has no Node", { path: "", env: { HOME: "/nowhere" } }, /Node/],
  ] as const)("that %s gets one connection", async (_what, l1, reason) => {
    const lab = await start({ hosts: { l1 } });
    const run = await ping(lab, "--hop", "relay");
    expect(unreachableOf(run)[0]).toMatchObject({ at: "l1", reason: expect.stringMatching(reason) });
    expect(lab.host("l1").connections).toBe(1);
  });
});

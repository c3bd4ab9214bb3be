import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLab, type Lab } from "../../support/lab.js";
import { built, changedOf, mop, resourcesOf } from "../../support/mop.js";

describe.skipIf(!built)("examples/push, through two nested bastions", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await createLab({
      leaves: 4,
      hosts: { l2: { vars: { color: "green" } }, l4: { vars: { maintenance: "yes" } } },
    });
  });
  afterAll(() => lab.close());
  const push = (...args: string[]) => mop(["push", "examples/push", ...lab.options, "-o", "json", ...args]);
  const page = (leaf: string) => path.join(lab.host(leaf).folder, "push/index.html");

  test("does on each host what its check said, one host first, then two by two, with its hooks around each", async () => {
    const planned = await push("--check", "--diff");
    expect(planned.status, planned.stderr).toBe(0);
    expect(lab.leaves.map((leaf) => existsSync(page(leaf)))).toEqual([false, false, false, false]);
    expect(planned.stderr, "a check takes no host out").not.toContain("out");
    const first = await push("--diff", "--tags", "site");
    expect(first.status, first.stderr).toBe(0);
    for (const leaf of ["l1", "l2", "l3"]) {
      expect(changedOf(first, leaf)).toEqual(["directory push", "file index.html"]);
      const { diff } = resourcesOf(first, leaf)[1]!;
      expect(resourcesOf(planned, leaf)[1]?.diff).toBe(diff);
    }
    expect(readFileSync(page("l2"), "utf8")).toContain('<body style="background: green">This is l2.');
    expect(readFileSync(page("l3"), "utf8")).toContain('<body style="background: white">This is l3.');
    const said = first.stderr.split("\n").filter((line) => /^l\d: (in|out)/.test(line));
    expect(said.slice(0, 2)).toEqual(["l1: out", "l1: in, ok, 2 changed"]);
    expect(said.slice(2, 4)).toEqual(["l2: out", "l3: out"]);
    expect(said.slice(4).sort()).toEqual(["l2: in, ok, 2 changed", "l3: in, ok, 2 changed"]);
  });

  test("leaves a host in maintenance alone", () => {
    expect(existsSync(page("l4"))).toBe(false);
  });

  test("changes nothing the second time, and --tags run one role alone", async () => {
    const second = await push();
    expect(second.status, second.stderr).toBe(0);
    expect(changedOf(second)).toEqual([]);
    const report = await push("--tags", "report", "--limit-hosts", "l1");
    expect(new Set(resourcesOf(report).map(({ role }) => role))).toEqual(new Set(["report"]));
  });
});

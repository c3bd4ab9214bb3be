import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLab, type Lab } from "../../support/lab.js";
import { built, mop, summaryOf } from "../../support/mop.js";

describe.skipIf(!built)("host keys that are not checked", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await createLab({ bastions: 1, leaves: 2, hosts: { l1: { knownAs: "another" } } });
  });
  afterAll(() => lab.close());

  test("are warned of once, and named in the summary", async () => {
    const json = await mop(["ping", ...lab.options, "--host-keys", "off", "-o", "json"]);
    expect(json.status, json.stderr).toBe(0);
    expect(json.stderr.match(/warning: host keys are not checked/g)).toHaveLength(1);
    expect([...(summaryOf(json).unchecked ?? [])].sort()).toEqual(["b1", "l1", "l2"]);
    const human = await mop(["ping", ...lab.options, "--host-keys", "off", "--limit-hosts", "l1"]);
    expect(human.stdout).toMatch(
      /\n {2}host keys were not checked: b1, l1\n {2}\d+ ms\n$|\n {2}host keys were not checked: b1, l1\n {2}[\d.]+ s\n$/,
    );
  });

  test("are named by a ping of all routes too", async () => {
    const routes = await mop(["ping", "--routes", ...lab.options, "--host-keys", "off", "-o", "json"]);
    expect([...(summaryOf(routes).unchecked ?? [])].sort()).toEqual(["b1", "l1", "l2"]);
  });

  test("and nothing is said where all are", async () => {
    const checked = await mop(["ping", ...lab.options, "--limit-hosts", "l2", "-o", "json"]);
    expect(checked.stderr).toBe("");
    expect(summaryOf(checked)).not.toHaveProperty("unchecked");
  });
});

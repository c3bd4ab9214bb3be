import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ResourceEvent } from "../../../engine/vocabulary/events.js";
import { FETCHES } from "../../states/tables/fetches.js";
import { createLab, type Lab } from "../../support/lab.js";
import { built, mop, resourcesOf } from "../../support/mop.js";
import { type PolicyFolder, policyFolder } from "../../support/policies.js";

const nameOf = (index: number) => `file-${index}`;
const POLICY = `
import { definePolicy, defineRole } from "mop";
const site = defineRole({
  name: "site",
  async main({ vars, fetch }) {
    ${FETCHES.map(
      ({ options = "" }, index) =>
        `await fetch(\`\${vars.root}/${nameOf(index)}\`, { ignoreErrors: true, ${options} });`,
    ).join("\n    ")}
  },
});
export default definePolicy({ roles: [{ role: site, groups: ["web"] }] });
`;

describe.skipIf(!built)("files that a push fetches from a leaf behind two bastions", () => {
  let lab: Lab;
  let site: PolicyFolder;
  let home: string;
  let seen: readonly (readonly Omit<ResourceEvent, "ms">[])[];
  /** What is behind a link is kept by its own name. */
  const kept = (index: number, folder: string) => {
    const at = path.join(home, nameOf(index));
    return path.join(site.folder, folder, "l1", existsSync(at) ? realpathSync(at) : at);
  };
  const read = (at: string) => {
    try {
      return readFileSync(at);
    } catch {
      return undefined;
    }
  };
  const all = () => FETCHES.map((_, index) => [read(kept(index, "fetched")), read(kept(index, "other"))]);
  let before: ReturnType<typeof all>;
  let afterCheck: ReturnType<typeof all>;

  beforeAll(async () => {
    lab = await createLab({ leaves: 1 });
    home = realpathSync(lab.host("l1").folder);
    site = policyFolder(POLICY);
    for (const [index, { host, held }] of FETCHES.entries()) {
      execFileSync("/bin/sh", ["-ec", host.replaceAll("NAME", nameOf(index))], { cwd: home });
      if (held === undefined) continue;
      mkdirSync(path.dirname(kept(index, "fetched")), { recursive: true });
      writeFileSync(kept(index, "fetched"), held);
    }
    const push = async (...args: string[]) => {
      const run = await mop(["push", site.policy, ...lab.options, "-o", "json", "--diff", ...args]);
      const resources = resourcesOf(run).map(({ ms: _, ...rest }) => rest);
      expect(resources, run.stderr).toHaveLength(FETCHES.length);
      return resources;
    };
    before = all();
    const checked = await push("--check");
    afterCheck = all();
    seen = [checked, await push("--no-type-check"), await push("--no-type-check")];
  });
  afterAll(async () => {
    await lab.close();
    site.remove();
  });

  test.each(FETCHES.map((item, index) => [item.claim, item, index] as const))(
    "%s: the check says it, the push does it, and again there is nothing to do",
    (_, { fetched, error, options = "" }, index) => {
      const [checked, applied, again] = seen.map((run) => run[index]!);
      expect(applied).toEqual(checked);
      expect(afterCheck[index]).toEqual(before[index]);
      if (error !== undefined) {
        expect(applied).toMatchObject({ status: "failed", error: expect.stringContaining(error) });
        expect(all()[index]).toEqual(before[index]);
        return;
      }
      expect(applied).toMatchObject(
        fetched ? { status: "changed", changes: ["fetch"] } : { status: "ok", changes: [] },
      );
      expect(again).toMatchObject({ status: "ok", changes: [] });
      const there = read(kept(index, options.includes("other") ? "other" : "fetched"));
      expect(there).toEqual(read(path.join(home, nameOf(index))));
    },
  );
});

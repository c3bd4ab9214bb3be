import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";

/** The budget's verdict on bundles of that many random bytes, which don't compress. */
function verdict(sizes: Readonly<Record<string, number>>) {
  const folder = mkdtempSync(path.join(tmpdir(), "mop-budget-"));
  for (const [name, size] of Object.entries(sizes)) writeFileSync(path.join(folder, name), randomBytes(size));
  const run = spawnSync(process.execPath, [path.resolve("tools/budget.mjs"), folder], { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  return run;
}

describe("the budget of what travels", () => {
  it("lets bundles within it pass, the wing's parts counted together", () => {
    expect(verdict({ "core.js": 23_900, "leaf.js": 30_000, "templates.js": 29_900 }).status).toBe(0);
  });

  it.each([
    ["the core", { "core.js": 24_100, "leaf.js": 1000 }, "the core is"],
    [
      "the wing with its parts",
      { "core.js": 1000, "leaf.js": 31_000, "templates.js": 30_000 },
      "the leaf's wing is",
    ],
    ["what was not built", {}, "no bundles there"],
  ])("fails for %s", (_what, sizes, message) => {
    const { status, stderr } = verdict(sizes);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
  });
});

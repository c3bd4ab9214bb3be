import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { built, type MopRun, mop, ROOT } from "../../support/mop.js";

/** A line with its measures, counts of bytes and temporary names taken out: "b1 > b2: # sent, # received". */
const shape = (line: string): string =>
  line
    .trim()
    .replace(/mop-lab-\w+/g, "mop-lab-#")
    .replace(/\b\d+(\.\d+)? ?(kB|MB|B|ms|s)\b/g, "#")
    .replace(/about \d+(\.\d+)? round/, "about # round")
    .replace(/\s+/g, " ");

/** What README.md shows of the demo, without what it leaves out. */
function shown(): string[] {
  const readme = readFileSync(path.join(ROOT, "README.md"), "utf8");
  const [, block = ""] = /\$ npm ci && npm run demo\n((?: {4}.*\n|\n)+)/.exec(readme) ?? [];
  return block.split("\n").filter((line) => line.trim() !== "" && line.trim() !== "...");
}

describe.skipIf(!built)("mop demo", () => {
  let tmp = "";
  let run: MopRun;
  beforeAll(async () => {
    tmp = mkdtempSync(path.join(os.tmpdir(), "mop-demo-"));
    run = await mop(["demo", "--delay", "90"], { env: { TMPDIR: tmp } });
  });
  afterAll(() => rmSync(tmp, { recursive: true, force: true }));

  test("changes three leaves, then none, and leaves nothing behind", () => {
    expect(run.status, run.stderr).toBe(0);
    for (const leaf of ["l1", "l2", "l3"]) {
      expect(run.stdout).toMatch(new RegExp(`^  ${leaf}  2 ok  10 changed  0 failed  0 skipped$`, "m"));
      expect(run.stdout).toMatch(new RegExp(`^  ${leaf}  11 ok  0 changed  0 failed  0 skipped$`, "m"));
    }
    expect(readdirSync(tmp)).toEqual([]);
  });

  test("prints what README.md shows of it, line by line, but for the measures", () => {
    const said = new Set(run.stdout.replaceAll(tmp, "/tmp").split("\n").map(shape));
    const lines = shown();
    expect(lines.length).toBeGreaterThan(20);
    for (const line of lines) expect(said, line).toContain(shape(line));
  });
});

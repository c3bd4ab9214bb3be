import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, it } from "vitest";

let top = "";
afterEach(() => rmSync(top, { recursive: true, force: true }));

/** Parts are left out: the core alone shows where sources are looked for. */
const PARTS = ["relay/seal/part.ts", "relay/runner/run-wing.ts", "relay/runtime/part.ts"];

it("the build makes its bundles in a folder whose name has blanks and signs of URLs", () => {
  top = mkdtempSync(path.join(tmpdir(), "mop-build-"));
  const folder = path.join(top, "my work 100%20 #1?");
  mkdirSync(folder);
  const filter = (file: string) => !PARTS.includes(path.relative(".", file));
  for (const name of ["tools", "transport", "relay"])
    cpSync(name, path.join(folder, name), { recursive: true, filter });
  symlinkSync(path.resolve("node_modules"), path.join(folder, "node_modules"));
  const program = 'import("./tools/bundles.mjs").then((tools) => tools.buildBundles())';
  const run = spawnSync(process.execPath, ["-e", program], { cwd: folder, encoding: "utf8" });
  expect(run.stderr).toBe("");
  expect(statSync(path.join(folder, "dist/bundles/core.js")).size).toBeGreaterThan(10_000);
}, 60_000);

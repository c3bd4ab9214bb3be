// Builds dist/: the controller by tsc, what travels to hosts by esbuild (tools/bundles.mjs).
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "..");
const tsc = path.join(
  path.dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
  "bin/tsc",
);
rmSync(path.join(root, "dist"), { recursive: true, force: true });
execFileSync(process.execPath, [tsc, "-p", path.join(root, "tsconfig.build.json")], {
  stdio: "inherit",
  cwd: root,
});
const bundles = path.join(root, "tools/bundles.mjs");
if (existsSync(bundles)) await (await import(bundles)).buildBundles();
const main = path.join(root, "dist/cli/main.js");
if (existsSync(main)) chmodSync(main, 0o755);

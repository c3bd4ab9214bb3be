// Builds dist/: the controller by tsc, what travels to hosts by esbuild (tools/bundles.mjs).
import { execFileSync } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { buildBundles } from "./bundles.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const tsc = path.join(
  path.dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
  "bin/tsc",
);
rmSync(path.join(root, "dist"), { recursive: true, force: true });
execFileSync(process.execPath, [tsc, "-p", path.join(root, "tsconfig.build.json")], {
  stdio: "inherit",
  cwd: root,
});
await buildBundles();
chmodSync(path.join(root, "dist/cli/main.js"), 0o755);

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";

const walls = path.resolve("tools/walls.mjs");
let tree = "";

/** A tree of floors with one source file; gives the wall check's verdict on it. */
function check(file: string, text: string): { status: number | null; stderr: string } {
  tree = mkdtempSync(path.join(tmpdir(), "mop-walls-"));
  for (const floor of ["transport", "relay", "engine", "cli"])
    mkdirSync(path.join(tree, floor), { recursive: true });
  mkdirSync(path.dirname(path.join(tree, file)), { recursive: true });
  writeFileSync(path.join(tree, file), text);
  return spawnSync(process.execPath, [walls, tree], { encoding: "utf8" });
}

afterEach(() => rmSync(tree, { recursive: true, force: true }));

describe("the wall check", () => {
  it("passes this project", () => {
    expect(spawnSync(process.execPath, [walls]).status).toBe(0);
  });

  it.each([
    ["transport may not import relay", "transport/link.ts", 'import { x } from "../relay/orders.js";'],
    ["relay may not import engine", "relay/node/main.ts", 'import { x } from "../../engine/leaf/main.js";'],
    [
      "the leaf's wing may not import the controller's",
      "engine/leaf/main.ts",
      'import { x } from "../controller/run.js";',
    ],
    [
      "the controller's wing may not import the leaf's",
      "engine/controller/run.ts",
      'import { x } from "../leaf/main.js";',
    ],
    ["the relay program may not import ssh2", "relay/node/pipes.ts", 'import { Client } from "ssh2";'],
    [
      "the relay program may not import the SSH client",
      "relay/node/x.ts",
      'import { x } from "../../transport/ssh/login.js";',
    ],
    ["a type import is an import", "transport/x.ts", 'import type { X } from "../engine/index.js";'],
    [
      "an import over several lines is an import",
      "transport/x.ts",
      'import {\n  a,\n  b,\n} from "../cli/main.js";',
    ],
    ["a dynamic import is an import", "relay/x.ts", 'const x = await import("../cli/main.js");'],
    ["a re-export is an import", "transport/x.ts", 'export * from "../relay/orders.js";'],
  ])("fails where %s", (_claim, file, text) => {
    const { status, stderr } = check(file, `${text}\n`);
    expect(status).toBe(1);
    expect(stderr).toContain(file);
  });

  it("lets imports go down", () => {
    expect(
      check("engine/controller/run.ts", 'import type { Mesh } from "../../relay/mesh/types.js";\n').status,
    ).toBe(0);
  });
});

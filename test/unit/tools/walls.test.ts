import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";

const walls = path.resolve("tools/walls.mjs");
let tree = "";

/** A tree of floors with these source files. */
function plant(files: Readonly<Record<string, string>>): void {
  tree = mkdtempSync(path.join(tmpdir(), "mop-walls-"));
  for (const floor of ["transport", "relay", "engine", "cli"])
    mkdirSync(path.join(tree, floor), { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(tree, file)), { recursive: true });
    writeFileSync(path.join(tree, file), `${text}\n`);
  }
}

/** The wall check's verdict on a tree. */
const verdict = () => spawnSync(process.execPath, [walls, tree], { encoding: "utf8" });

/** The wall check's verdict on one source file. */
function check(file: string, text: string) {
  plant({ [file]: text });
  return verdict();
}

afterEach(() => {
  if (tree) rmSync(tree, { recursive: true, force: true });
  tree = "";
});

/** Every place of the house with what it may import, written down a second time: floor by floor, wing by wing. */
const HOUSE: Readonly<Record<string, readonly string[]>> = {
  "transport/wire": [],
  "transport/ssh": ["transport/wire", "transport"],
  transport: ["transport/wire"],
  "relay/session": ["transport/wire", "transport"],
  "relay/boot": ["transport/wire", "transport"],
  "relay/node": ["transport/wire", "transport", "relay", "relay/session", "relay/boot"],
  "relay/mesh": [
    "transport/wire",
    "transport/ssh",
    "transport",
    "relay",
    "relay/session",
    "relay/boot",
    "relay/node",
  ],
  relay: ["transport/wire", "transport", "relay/session", "relay/boot", "relay/node"],
  "engine/vocabulary": [],
  "engine/leaf": ["transport/wire", "engine/vocabulary"],
  "engine/controller": [
    ...["transport/wire", "transport/ssh", "transport"],
    ...["relay", "relay/session", "relay/boot", "relay/node", "relay/mesh"],
    "engine/vocabulary",
  ],
  engine: [
    ...["transport/wire", "transport/ssh", "transport"],
    ...["relay", "relay/session", "relay/boot", "relay/node", "relay/mesh"],
    ...["engine/vocabulary", "engine/leaf", "engine/controller"],
  ],
};
const PLACES = [...Object.keys(HOUSE), "cli"];

describe("the wall check", () => {
  it("passes this project", () => {
    expect(spawnSync(process.execPath, [walls]).status).toBe(0);
  });

  it.each(Object.entries(HOUSE))(
    "lets %s/ import what it may, and fails for every other place",
    (from, may) => {
      const steps = "../".repeat(from.split("/").length);
      const files = Object.fromEntries(
        PLACES.filter((to) => to !== from).map((to) => [
          `${from}/to-${to.replace("/", "-")}.ts`,
          `import { x } from "${steps}${to}/probe.js";`,
        ]),
      );
      plant(files);
      const { stderr } = verdict();
      const refused = PLACES.filter((to) => stderr.includes(`${from}/to-${to.replace("/", "-")}.ts: `));
      expect(refused).toEqual(PLACES.filter((to) => to !== from && !may.includes(to)));
    },
  );

  it.each([
    ["transport/link.ts", 'import { Client } from "ssh2";'],
    ["transport/wire/cbor.ts", 'import { decode } from "cbor-x";'],
    ["relay/orders.ts", 'import "ssh2";'],
    ["relay/boot/boot.ts", 'import { Client } from "ssh2";'],
    ["relay/session/packets.ts", 'import { Client } from "ssh2";'],
    ["relay/node/pipes.ts", 'import { Client } from "ssh2";'],
    ["relay/node/x.ts", 'const ssh2 = require("ssh2");'],
    ["engine/leaf/templates/render.ts", 'import nunjucks from "nunjucks";'],
    ["engine/vocabulary/language.ts", 'import { build } from "esbuild";'],
  ])("keeps packages out of %s, which travels", (file, text) => {
    const { status, stderr } = check(file, text);
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`^${file}: imports .*, which does not travel to hosts$`, "m"));
  });

  it.each([
    ["a type import", "transport/x.ts", 'import type { X } from "../engine/index.js";'],
    ["an import over several lines", "transport/x.ts", 'import {\n  a,\n  b,\n} from "../cli/main.js";'],
    ["a dynamic import", "relay/x.ts", 'const x = await import("../cli/main.js");'],
    ["a dynamic import over several lines", "relay/x.ts", 'const x = await import(\n  "../cli/main.js"\n);'],
    ["a re-export", "transport/x.ts", 'export * from "../relay/orders.js";'],
    ["an import for its effects", "relay/x.ts", 'import "../cli/main.js";'],
  ])("takes %s for an import", (_claim, file, text) => {
    const { status, stderr } = check(file, text);
    expect(status).toBe(1);
    expect(stderr).toContain(file);
  });

  it("lets what stays here import packages", () => {
    expect(check("transport/ssh/login.ts", 'import { Client } from "ssh2";').status).toBe(0);
  });
});

describe("the build of what travels", () => {
  const bundles = path.resolve("tools/bundles.mjs");
  const build = () =>
    spawnSync(
      process.execPath,
      ["-e", `import(${JSON.stringify(bundles)}).then((m) => m.buildBundles(${JSON.stringify(tree)}))`],
      { encoding: "utf8" },
    );

  it.each([
    ["core", "relay/node/main.ts", "transport/ssh/login.ts"],
    ["core", "relay/node/main.ts", "relay/mesh/mesh.ts"],
    ["core", "relay/node/main.ts", "engine/leaf/main.ts"],
    ["core", "relay/node/main.ts", "node_modules/ssh2/index.js"],
    ["leaf", "engine/leaf/main.ts", "engine/controller/index.ts"],
    ["templates", "engine/leaf/parts/templates.ts", "relay/node/main.ts"],
  ])("fails when %s would carry what does not travel (%s imports %s)", (name, entry, stranger) => {
    const specifier = stranger.startsWith("node_modules/")
      ? "ssh2"
      : `${"../".repeat(entry.split("/").length - 1)}${stranger.replace(/\.ts$/, ".js")}`;
    plant({ [stranger]: "export const x = Math.random();", [entry]: `export { x } from "${specifier}";` });
    const { status, stderr } = build();
    expect(status).not.toBe(0);
    expect(stderr).toContain(`bundle ${name}: ${stranger} got into it`);
  });

  it("passes where all of it travels", () => {
    plant({
      "transport/link.ts": "export const x = Math.random();",
      "relay/node/main.ts": 'export { x } from "../../transport/link.js";',
      "engine/leaf/main.ts": 'export { x } from "../../transport/link.js";',
    });
    expect(build()).toMatchObject({ status: 0, stderr: "" });
  });
});

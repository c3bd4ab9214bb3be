import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { typeCheck } from "../../../engine/controller/policy/type-check.js";
import { validate } from "../../../engine/controller/run/validate.js";
import { testPackage } from "./scripted.js";
import { tempFolder } from "./temp-folder.js";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const LIBRARY = path.join(ROOT, "dist/engine/index.js");
const built = existsSync(path.join(ROOT, "dist/bundles/leaf.js"));

/** The first block of TypeScript in a document. */
function example(document: string): string {
  const text = readFileSync(path.join(ROOT, document), "utf8");
  const [, code] = /```ts\n([\s\S]*?)```/.exec(text) ?? [];
  if (code === undefined) throw new Error(`${document} has no example`);
  return code;
}

/** This machine as the host that examples call l1. */
const LOCAL = `[groups.web.hosts]\nl1 = { mop_hop = "local" }\n`;

/** Compiles a program and runs it where an inventory lies. */
async function run(code: string, args: readonly string[] = []): Promise<string> {
  const cwd = await tempFolder({ "inventory.toml": LOCAL, "program.ts": code });
  await build({
    entryPoints: [path.join(cwd, "program.ts")],
    outfile: path.join(cwd, "program.mjs"),
    format: "esm",
    platform: "node",
    target: "node20",
    bundle: true,
    plugins: [
      {
        name: "mop",
        setup: (setup) => setup.onResolve({ filter: /^mop$/ }, () => ({ path: LIBRARY, external: true })),
      },
    ],
  });
  const { stdout } = await promisify(execFile)(process.execPath, ["program.mjs", ...args], { cwd });
  return stdout;
}

describe("the documents' examples", () => {
  it.each(["docs/library.md", "docs/policies.md", "README.md"])(
    "in %s have the right types",
    async (name) => {
      const folder = await tempFolder({ "example.ts": example(name) });
      const file = path.join(folder, "example.ts");
      await typeCheck({ file, folder, sources: [file] }, await testPackage());
    },
  );

  it.skipIf(!built)("in docs/library.md runs, and says what it promises", async () => {
    const lines = (await run(example("docs/library.md"))).trim().split("\n");
    const uname = process.platform === "darwin" ? "Darwin" : "Linux";
    expect(lines[0]).toBe(`0 ${uname}`);
    expect(lines[1]).toMatch(/^(ID=.+|undefined|null)$/);
    expect(lines.slice(2).sort()).toEqual(["stderr two", "stdout one"]);
  });
});

describe("examples/library.ts", () => {
  it.skipIf(!built)("connects, runs a command, calls its own function and streams", async () => {
    const code = readFileSync(path.join(ROOT, "examples/library.ts"), "utf8");
    const output = await run(code, ["inventory.toml", "l1"]);
    expect(output).toContain("l1 is reached through l1\n");
    expect(output).toMatch(/^uptime ended with \d+: /m);
    expect(output).toContain(`node: '${process.version}'`);
    expect(output).toMatch(/^stdout: 1/m);
  });
});

describe("examples/shop", () => {
  it("is right in types and files, and goes through the bastions that --via names", async () => {
    const report = await validate({
      policy: path.join(ROOT, "examples/shop"),
      mop: await testPackage(),
      routes: { via: ["b1", "b2"] },
    });
    expect(report.roles).toEqual([
      {
        name: "web",
        hosts: ["l1", "l2", "l3"],
        files: expect.arrayContaining([
          "files/check",
          "files/style.css",
          "templates/app.conf.j2",
          "templates/head.j2",
          "templates/index.html.j2",
        ]),
      },
    ]);
    expect(report.roles[0]?.files).toHaveLength(5);
    expect(report.routes).toEqual({
      l1: ["b1", "b2", "l1"],
      l2: ["b1", "b2", "l2"],
      l3: ["b1", "b2", "l3"],
    });
    expect(report.warnings).toEqual([]);
  });
});

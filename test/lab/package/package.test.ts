import { execFile, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LoopbackRegistry, startLoopbackRegistry } from "../../support/loopback-registry.js";
import { built, ROOT } from "../../support/mop.js";

const run = promisify(execFile);
const has = (program: string) => spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
/** Beside the build: npm, which packs and installs, and tar, which makes the archives that npm fetches. */
const missing = ["npm", "tar"].filter((program) => !has(program));
const why = missing.length > 0 ? ` (skipped: no ${missing.join(", ")} here)` : "";

const POLICY = `import { definePolicy, defineRole } from "mop";

export const here = defineRole({
  name: "here",
  vars: { port: 8080, folder: "" },
  async main({ vars, directory, file, shell }) {
    await directory(vars.folder, { mode: 0o750 });
    const conf = await file(\`\${vars.folder}/app.conf\`, { template: "app.conf.j2", mode: 0o640 });
    if (conf.changed) await shell(\`echo \${vars.port + 1} > \${vars.folder}/ran\`);
  },
});

export default definePolicy({ roles: [{ role: here }] });
`;

describe.skipIf(!built || missing.length > 0)(`the package, packed and installed elsewhere${why}`, () => {
  let folder = "";
  let packed: string[] = [];
  let registry: LoopbackRegistry;
  const at = (...names: string[]) => path.join(folder, ...names);
  // Nothing of this checkout is on the way to the program: another folder, another home, another prefix.
  const env = () => ({ PATH: process.env.PATH, HOME: at("home"), TMPDIR: at("tmp"), NO_COLOR: "1" });
  const mop = (args: readonly string[], cwd: string) => run(at("prefix/bin/mop"), args, { cwd, env: env() });

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), "mop-package-"));
    for (const name of ["home", "tmp", "archives", "empty", "shop"]) mkdirSync(at(name));
    registry = await startLoopbackRegistry(ROOT, at("archives"));
    const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
    const [{ filename, files }] = JSON.parse((await run("npm", pack, { cwd: ROOT })).stdout);
    packed = files.map((file: { readonly path: string }) => file.path);
    const install = ["install", "--global", "--prefix", at("prefix"), "--registry", registry.url];
    install.push("--cache", at("cache"), "--no-audit", "--no-fund", "--no-update-notifier", at(filename));
    await run("npm", install, { cwd: at("empty"), env: env() });
  }, 180_000);
  afterAll(async () => {
    await registry?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("has the bundles, the documents and the examples, and no test or source", () => {
    expect(packed).toEqual(
      expect.arrayContaining([
        ...["core", "leaf", "templates"].map((name) => `dist/bundles/${name}.js.br`),
        ...["README.md", "LICENSE", "CHANGELOG.md", "docs/protocol.md", "examples/shop/policy.ts"],
      ]),
    );
    expect(packed.filter((name) => /^(test|tools|cli|engine|relay|transport)\//.test(name))).toEqual([]);
  });

  test("has every dependency that the program needs, ssh2 in its pinned version", () => {
    const { dependencies } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));
    for (const name of Object.keys(dependencies)) expect([...registry.fetched]).toContain(name);
    const ssh2 = at("prefix/lib/node_modules/mop/node_modules/ssh2/package.json");
    expect(JSON.parse(readFileSync(ssh2, "utf8")).version).toBe(dependencies.ssh2);
  });

  test("says its version and its commands in a folder that is empty", async () => {
    const { version } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));
    expect((await mop(["--version"], at("empty"))).stdout.trim()).toBe(version);
    expect((await mop(["--help"], at("empty"))).stdout).toMatch(
      /push.*local.*validate.*ping.*run.*inventory.*demo/s,
    );
  });

  test("applies a policy of a folder where nothing is installed, then has nothing to change", async () => {
    writeFileSync(at("shop/policy.ts"), POLICY);
    writeFileSync(at("shop/app.conf.j2"), "port = {{ port }}\n");
    const args = ["local", "-o", "json", "-e", `folder=${at("shop/out")}`];
    const changes = async () =>
      (await mop(args, at("shop"))).stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
        .filter(({ event, status }) => event === "resource" && status === "changed")
        .map(({ type }) => type);
    expect(await changes()).toEqual(["directory", "file", "shell"]);
    expect(readFileSync(at("shop/out/app.conf"), "utf8")).toBe("port = 8080\n");
    expect(readFileSync(at("shop/out/ran"), "utf8")).toBe("8081\n");
    expect(await changes()).toEqual([]);
    expect(readdirSync(at("shop")).sort()).toEqual(["app.conf.j2", "out", "policy.ts"]);
  });

  test("tells a type error of that policy by its place, with status 1", async () => {
    mkdirSync(at("wrong"));
    writeFileSync(at("wrong/app.conf.j2"), "");
    writeFileSync(at("wrong/policy.ts"), POLICY.replace("mode: 0o750", "mdoe: 0o750"));
    const failed = await mop(["local"], at("wrong")).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringMatching(/policy\.ts.*\b7\b.*mdoe/s) });
  });

  test("leaves no temporary file behind when it fails while a policy is being checked", async () => {
    const failed = await mop(["validate", "-i", "nowhere.toml"], at("shop")).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining("nowhere.toml") });
    expect(readdirSync(at("tmp"))).toEqual([]);
  });

  test("runs its demo: two bastions, a leaf, changes and then none; nothing is left", async () => {
    const { stdout } = await mop(["demo", "--leaves", "1", "--delay", "5"], at("empty"));
    expect(stdout).toMatch(/l1 {2}2 ok {2}10 changed {2}0 failed/);
    expect(stdout).toMatch(/l1 {2}11 ok {2}0 changed {2}0 failed/);
    expect(readdirSync(at("empty"))).toEqual([]);
    expect(readdirSync(at("tmp"))).toEqual([]);
  });

  test("is typed for policies and programs that import it, its declarations checked too", async () => {
    mkdirSync(at("typed/node_modules"), { recursive: true });
    symlinkSync(at("prefix/lib/node_modules/mop"), at("typed/node_modules/mop"));
    const uses =
      "\nimport { Mesh } from 'mop';\nexport const f = async (m: Mesh): Promise<number> => (await (await m.connect('l1')).run('true')).rc;\n";
    writeFileSync(at("typed/right.ts"), POLICY + uses);
    writeFileSync(at("typed/wrong.ts"), POLICY.replace("vars.port + 1", "vars.port.nothing"));
    writeFileSync(at("typed/package.json"), '{ "type": "module" }');
    const tsc = path.join(
      path.dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
      "bin/tsc",
    );
    const check = (file: string) => {
      const options = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--module", "nodenext"];
      options.push("--target", "es2022", "--lib", "es2023,esnext.disposable");
      const types = ["--types", "node", "--typeRoots", at("prefix/lib/node_modules/mop/node_modules/@types")];
      return run(process.execPath, [tsc, ...options, ...types, file], { cwd: at("typed") });
    };
    await check("right.ts");
    await expect(check("wrong.ts")).rejects.toMatchObject({
      stdout: expect.stringMatching(/wrong\.ts.*nothing/s),
    });
    expect(existsSync(at("typed/node_modules/mop/dist/engine/index.d.ts"))).toBe(true);
  });
});

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { built, mop, ROOT, resourcesOf, summaryOf } from "../../support/mop.js";

describe.skipIf(!built)("the project that `mop init` writes", () => {
  let home = "";
  let folder = "";
  const run = (...args: string[]) => mop(args, { cwd: folder, env: { HOME: home } });
  beforeEach(() => {
    home = mkdtempSync(path.join(os.tmpdir(), "mop-init-"));
    folder = path.join(home, "project");
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));
  const init = () => mop(["init", "project"], { cwd: home });

  test("is valid, changes nothing under --check, and works; its second push finds nothing to do", async () => {
    const written = await init();
    expect(written.status, written.stderr).toBe(0);
    expect(written.stdout).toContain("cd project\n");
    for (const name of [
      "policy.ts",
      "inventory.toml",
      "templates/hello.txt.j2",
      "files/check",
      "tsconfig.json",
    ])
      expect(written.stdout).toContain(`project/${name}\n`);

    const valid = await run("validate", "-F", "none");
    expect(valid.status, valid.stderr).toBe(0);
    expect(valid.stderr).toBe("");

    const checked = await run("local", "--check", "-o", "json");
    expect(checked.status, checked.stderr).toBe(0);
    expect(summaryOf(checked).hosts.localhost).toMatchObject({ changed: 3, failed: 0 });
    expect(readdirSync(home)).toEqual(["project"]);

    const pushed = await run("push", "-F", "none", "--verify", "-o", "json");
    expect(pushed.status, pushed.stderr).toBe(0);
    expect(resourcesOf(pushed).filter(({ pass }) => pass === 2)).toHaveLength(4);
    expect(readFileSync(path.join(home, "mop-hello/hello.txt"), "utf8")).toMatch(/^Hello from here, /);
    expect(statSync(path.join(home, "mop-hello/check")).mode & 0o111).toBe(0o111);
  });

  test("has a tsconfig.json with which an editor's compiler finds the package", async () => {
    await init();
    const tsc = path.join(ROOT, "node_modules/typescript/bin/tsc");
    expect(execFileSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" })).toBe("");
    // It would find a mistake too.
    writeFileSync(
      path.join(folder, "bad.ts"),
      `import { defineRole } from "mop";\ndefineRole({ name: 1 });\n`,
    );
    expect(() => execFileSync(process.execPath, [tsc, "-p", folder], { stdio: "pipe" })).toThrow();
  });

  test("is not written where a file of it exists already, not even in part", async () => {
    writeFileSync(path.join(home, "inventory.toml"), "# mine\n");
    const refused = await mop(["init"], { cwd: home });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toBe(
      "mop: inventory.toml: it exists already, and mop init overwrites nothing; name another folder\n",
    );
    expect(readdirSync(home)).toEqual(["inventory.toml"]);
    expect(readFileSync(path.join(home, "inventory.toml"), "utf8")).toBe("# mine\n");
    expect(existsSync(folder)).toBe(false);
  });

  test.skipIf(!existsSync("/proc/self"))(
    "is not written, nor waited for, where no folder can be made",
    async () => {
      const refused = await mop(["init", "/proc/project/inner"], { cwd: home });
      expect(refused.status).toBe(1);
      expect(refused.stderr).toBe("mop: /proc/project/inner/policy.ts can't be written (ENOENT)\n");
    },
  );
});

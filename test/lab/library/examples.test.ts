import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLab, type Lab } from "../../support/lab.js";
import { built, ROOT } from "../../support/mop.js";

/** The example of docs/library.md, as it stands there. */
const documented = () =>
  /```ts\n([\s\S]*?)```/.exec(readFileSync(path.join(ROOT, "docs/library.md"), "utf8"))![1]!;

describe.skipIf(!built)("programs over the library, through two nested bastions", () => {
  let lab: Lab;
  let folder = "";
  beforeAll(async () => {
    lab = await createLab({ leaves: 1 });
    folder = mkdtempSync(path.join(os.tmpdir(), "mop-library-"));
    // As a user has it: known hosts at home, the inventory in the working folder. No ssh in PATH, no configuration.
    mkdirSync(path.join(folder, ".ssh"));
    copyFileSync(lab.knownHostsFile, path.join(folder, ".ssh/known_hosts"));
    copyFileSync(lab.inventoryFile, path.join(folder, "inventory.toml"));
  });
  afterAll(async () => {
    await lab.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function run(contents: string, ...args: string[]): Promise<string[]> {
    await build({
      stdin: { contents, loader: "ts", resolveDir: folder, sourcefile: "program.ts" },
      outfile: path.join(folder, "program.mjs"),
      format: "esm",
      target: "node20",
      alias: { mop: path.join(ROOT, "dist/engine/index.js") },
      external: [path.join(ROOT, "dist/*"), "node:*"],
      bundle: true,
    });
    const options = { cwd: folder, env: { HOME: folder, PATH: folder } };
    const { stdout } = await promisify(execFile)(process.execPath, ["program.mjs", ...args], options);
    return stdout.trim().split("\n");
  }
  const nothingRuns = () =>
    expect.poll(() => [...lab.hosts.values()].flatMap((host) => host.pids), { timeout: 10_000 }).toEqual([]);

  test("docs/library.md's runs as it stands there", async () => {
    const [uname, release, ...streamed] = await run(documented());
    expect(uname).toBe(`0 ${process.platform === "darwin" ? "Darwin" : "Linux"}`);
    expect(release).toMatch(/^(ID=.+|undefined|null)$/);
    expect(streamed.sort()).toEqual(["stderr two", "stdout one"]);
    expect(lab.host("b2").logins).toBeGreaterThan(0);
    await nothingRuns();
  });

  test("examples/library.ts runs a command, calls its own function and streams", async () => {
    const example = readFileSync(path.join(ROOT, "examples/library.ts"), "utf8");
    const lines = await run(example, "inventory.toml", "l1", "b1,b2");
    expect(lines[0]).toBe("l1 is reached through b1 > b2 > l1");
    expect(lines.join("\n")).toMatch(/^uptime ended with \d+: /m);
    expect(lines.join("\n")).toContain(`node: '${process.version}'`);
    // Output comes in pieces, not in lines.
    expect(lines.slice(-3).map((line) => line.replace("stdout: ", ""))).toEqual(["1", "2", "3"]);
    await nothingRuns();
  });
});

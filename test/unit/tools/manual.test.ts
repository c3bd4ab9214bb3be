import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";

const FILES = "engine/vocabulary/resources/files.ts";

interface Generated {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the generator says of the project in a folder. */
async function generate(root: string): Promise<Generated> {
  const args = [path.resolve("tools/manual.mjs"), root, "--print"];
  return promisify(execFile)(process.execPath, args).then(
    (done) => ({ status: 0, ...done }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      status: code,
      stdout,
      stderr,
    }),
  );
}

/** Its own lines: the compiler that it ends may say a last word ("context canceled"). */
const sentences = ({ stderr }: Generated): string[] =>
  stderr.split("\n").filter((line) => line.startsWith("manual: "));

describe("docs/resources.md", () => {
  it("is what `npm run manual` writes; after a change of types or docstrings run that again", async () => {
    const generated = await generate(".");
    expect(generated.status, generated.stderr).toBe(0);
    expect(generated.stdout).toBe(readFileSync("docs/resources.md", "utf8"));
  });
});

describe("the generator of the manual", () => {
  let root: string;
  afterEach(() => rmSync(root, { recursive: true }));

  /** A copy of the project's sources with a text of a file replaced. */
  function copyWith(file: string, text: string | RegExp, replacement: string): string {
    root = mkdtempSync(path.join(tmpdir(), "mop-manual-"));
    for (const name of ["engine", "relay", "transport", "tsconfig.json", "tsconfig.build.json"])
      cpSync(name, path.join(root, name), { recursive: true });
    symlinkSync(path.resolve("node_modules"), path.join(root, "node_modules"));
    const before = readFileSync(file, "utf8");
    const after = before.replace(text, replacement);
    expect(after, `${file} has ${text}`).not.toBe(before);
    writeFileSync(path.join(root, file), after);
    return root;
  }

  it.each([
    [
      "a function without a docstring",
      [FILES, / {2}\/\*\*(?:(?!\/\*\*)[\s\S])*?\*\/\n {2}link\(/, "  link("],
      "the function link has no docstring and no @example (engine/vocabulary/resources/files.ts)",
    ],
    [
      "a function without an example",
      [FILES, / {3}\* @example\n(?: {3}\* .*\n)* {3}\*\/\n {2}link\(/, "   */\n  link("],
      "the function link has no @example (engine/vocabulary/resources/files.ts)",
    ],
    [
      "an option without a docstring",
      [FILES, /\n *\/\*\* Replace a file that stands there[^\n]*/, ""],
      "the option force of link has no docstring",
    ],
    [
      "a type that no policy is told of",
      [FILES, /\n {2}link\(path[^\n]*/, ""],
      "the type link is not declared in ResourceFunctions (engine/vocabulary/resources/)",
    ],
  ] as const)("refuses %s, by name", async (_what, [file, text, replacement], sentence) => {
    const generated = await generate(copyWith(file, text, replacement));
    expect(sentences(generated)).toEqual([`manual: ${sentence}`]);
    expect(generated).toMatchObject({ status: 1, stdout: "" });
  });
});

describe("the default in an option's docstring", () => {
  it.each([
    ["Seconds between two tries. Default 1", "Seconds between two tries", "`1`"],
    ["Default true", "", "`true`"],
    ['Its port. Default: "/etc/a.d/b.conf"', "Its port", '`"/etc/a.d/b.conf"`'],
    ["As it was. Default: the host's own. Only for apt", "As it was. Only for apt", "the host's own"],
    ["Any. Default false: any version will do", "Any", "`false`: any version will do"],
    ["The id. Default for a new one: the host's", "The id", "for a new one: the host's"],
    ["Its user; default: root. Needs sudo", "Its user. Needs sudo", "root"],
    ['Suites. Default ["main"]', "Suites", '`["main"]`'],
    ["Has no\ndefault value", "Has no\ndefault value", ""],
  ])("of %j stands in its own column", async (text, meaning, byDefault) => {
    const render = (await import(path.resolve("tools/manual/render.mjs"))) as {
      splitDefault(text: string): { meaning: string; byDefault: string };
    };
    expect(render.splitDefault(text)).toEqual({ meaning, byDefault });
  });
});

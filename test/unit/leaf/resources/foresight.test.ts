import { mkdir, realpath } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tempFolder } from "../../controller/temp-folder.js";
import { build, look, offering, Run, type Tree, type TypeName } from "./stage.js";

interface Step {
  readonly type: TypeName;
  readonly at: string;
  readonly options: Record<string, unknown>;
}

const place = fc.constantFrom("a", "b", "a/x", "a/b", "b/x", "l", "l/x", "a/b/x", "a/../b/y");
const mode = fc.option(fc.constantFrom(0o644, 0o600, 0o755, 0o2755), { nil: undefined });
const flag = fc.option(fc.boolean(), { nil: undefined });
const content = fc.constantFrom("", "one\n", "two\n", "one\ntwo\nthree\n");

const options: Record<string, fc.Arbitrary<Record<string, unknown>>> = {
  file: fc.oneof(
    fc.record({ content, mode, overwrite: flag }),
    fc.record({ source: fc.constantFrom("s.txt", "run.sh") }),
    fc.record({ mode }),
    fc.constant({ absent: true }),
  ),
  directory: fc.oneof(
    fc.record({ mode, recursive: flag }),
    fc.record({ absent: fc.constant(true), recursive: flag }),
  ),
  link: fc.oneof(
    fc.record({ to: fc.constantFrom("a", "b", "a/b", "nowhere", "l"), force: flag }),
    fc.constant({ absent: true }),
  ),
};
const step: fc.Arbitrary<Step> = fc
  .constantFrom<TypeName>("file", "directory", "link")
  .chain((type) => fc.record({ type: fc.constant(type), at: place, options: options[type]! }));

const line = fc.constantFrom(
  "file 0644 one\n",
  "file 0600 two\n",
  "dir 0755",
  "dir 2755",
  "link a",
  "link b",
);
const start: fc.Arbitrary<Tree> = fc
  .record({ a: line, b: line, l: line }, { requiredKeys: [] })
  .map((tree) =>
    tree.a?.startsWith("dir") ? { ...tree, "a/b": "dir 0755", "a/b/x": "file 0644 deep\n" } : tree,
  );

async function play(folder: string, steps: readonly Step[], check: boolean): Promise<unknown[]> {
  const run = new Run({ check, diff: true, offered: offering({ "s.txt": "one\n", "run.sh": "two\n" }) });
  const reports: unknown[] = [];
  for (const { type, at, options } of steps)
    reports.push((await run.do(type, path.join(folder, at), { ...options, ignoreErrors: true })).report);
  return reports;
}

describe("a check", () => {
  test("says to the last word what the run then does, also where a resource builds on an earlier one", async () => {
    const folder = await realpath(await tempFolder());
    let count = 0;
    const seen = { changed: 0, failed: 0 };
    await fc.assert(
      fc.asyncProperty(start, fc.array(step, { minLength: 2, maxLength: 7 }), async (tree, steps) => {
        const home = path.join(folder, String(count++));
        await mkdir(home);
        await build(home, tree);
        const before = await look(home);
        const foretold = await play(home, steps, true);
        expect(await look(home)).toEqual(before);
        const happened = await play(home, steps, false);
        expect(foretold).toEqual(happened);
        for (const report of happened as { status: string }[]) {
          if (report.status === "changed") seen.changed++;
          if (report.status === "failed") seen.failed++;
        }
        for (const name of Object.keys(await look(home))) expect(name).not.toContain(".mop-");
      }),
      { numRuns: 200 },
    );
    // The cases are no idle ones.
    expect(seen.changed).toBeGreaterThan(150);
    expect(seen.failed).toBeGreaterThan(50);
  });

  test("doesn't refuse a missing folder that a command before may have made", async () => {
    const folder = await tempFolder();
    const run = new Run({ check: true });
    expect((await run.do("file", `${folder}/new/a`, { content: "x" })).report.status).toBe("failed");
    await run.do("shell", `mkdir ${folder}/new`);
    expect((await run.do("file", `${folder}/new/a`, { content: "x" })).report).toMatchObject({
      status: "changed",
      changes: ["create"],
    });
    expect(await look(folder)).toEqual({});
  });
});

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import type { ResourceReport } from "../../../../engine/leaf/resource.js";
import { tarOf } from "./make-archive.js";
import { build, look, offering, Run, type Tree, type TypeName } from "./stage.js";

interface Step {
  readonly type: TypeName;
  readonly at: string;
  readonly options: Record<string, unknown>;
}

const place = fc.constantFrom("a", "b", "a/x", "a/b", "b/x", "l", "l/x", "a/b/x", "a/../b/y");
const mode = fc.option(fc.constantFrom(0o644, 0o600, 0o755, 0o2755, 0o555), { nil: undefined });
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
  lineInFile: fc.oneof(
    fc.record({ line: fc.constantFrom("one", "two", "x"), mode, create: flag }),
    fc.record({
      line: fc.constant("new"),
      regexp: fc.constantFrom("o", "^t", "nope"),
      before: fc.constantFrom("start", "two"),
    }),
    fc.record({ regexp: fc.constantFrom("o", "e"), absent: fc.constant(true) }),
  ),
  blockInFile: fc.oneof(
    fc.record({ block: fc.constantFrom("b", "b\nc"), create: flag, after: fc.constantFrom("one", "two") }),
    fc.constant({ absent: true }),
  ),
  copyTree: fc.record({ source: fc.constantFrom("t", "u"), purge: flag, mode, directoryMode: mode }),
  archive: fc.record({ source: fc.constantFrom("t.tar", "u.tar"), strip: fc.constantFrom(0, 1) }),
};
const OFFERED = {
  "s.txt": "one\n",
  "run.sh": "two\n",
  "t/x": "one\n",
  "t/b/x": "deep\n",
  "u/b": "two\n",
  "u/run.sh": "#!\n",
  "t.tar": tarOf([
    { name: "x", content: "one\n" },
    { name: "b/x", mode: 0o600, content: "two\n" },
  ]),
  "u.tar": tarOf([
    { name: "b/y", mode: 0o755, content: "y\n" },
    { name: "l", to: "b/y" },
  ]),
};
const step: fc.Arbitrary<Step> = fc
  .constantFrom<TypeName>(
    ...(["file", "directory", "link", "file", "directory", "link"] as const),
    ...(["lineInFile", "blockInFile", "copyTree", "archive"] as const),
  )
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

async function play(folder: string, steps: readonly Step[], check: boolean): Promise<ResourceReport[]> {
  const run = new Run({ check, diff: true, offered: offering(OFFERED, ["t", "u"]) });
  const reports: ResourceReport[] = [];
  for (const { type, at, options } of steps)
    reports.push((await run.do(type, path.join(folder, at), { ...options, ignoreErrors: true })).report);
  return reports;
}

export interface Seen {
  changed: number;
  failed: number;
}

/**
 * Plays runs of resources that build on one another below a folder, each as a check and then for good; throws where
 * the two differ by a word, or where the check touched something. Gives how much the runs did.
 */
export async function foretell(below: string, numRuns: number): Promise<Seen> {
  const umask = process.umask(0o022);
  const seen: Seen = { changed: 0, failed: 0 };
  let count = 0;
  const property = fc.asyncProperty(
    start,
    fc.array(step, { minLength: 2, maxLength: 7 }),
    async (tree, steps) => {
      const home = path.join(below, String(count++));
      await mkdir(home);
      await build(home, tree);
      const before = await look(home);
      const foretold = await play(home, steps, true);
      assert.deepEqual(await look(home), before);
      const happened = await play(home, steps, false);
      assert.deepEqual(foretold, happened);
      for (const { status } of happened) if (status === "changed" || status === "failed") seen[status]++;
      for (const name of Object.keys(await look(home)))
        assert(!/\.mop-[0-9a-f]{12}/.test(name), `${name} was left`);
    },
  );
  try {
    await fc.assert(property, { numRuns });
  } finally {
    process.umask(umask);
  }
  return seen;
}

import { spawnSync } from "node:child_process";
import { lstat, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../../support/bundle.js";
import { tempFolder } from "../../controller/temp-folder.js";

const OLD = "old content\n".repeat(30_000);
const NEW = "new content, not as long\n".repeat(20_000);
const BY_HALF = "half";

/** What a leaf that was killed left: the file, and other names that were left beside it. */
interface Left {
  readonly killed: boolean;
  readonly content: string | undefined;
  readonly mode: number | undefined;
  readonly others: readonly string[];
}

let folder: string;
let program: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "mop-test-"));
  program = await bundle(fileURLToPath(new URL("killed-leaf.ts", import.meta.url)), folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs `file` in a process that kills itself (SIGKILL) at its so manyth system call, before it or half through. */
async function killedAt(step: number, when: string, what: string, old: string | undefined): Promise<Left> {
  const folder = await tempFolder(old === undefined ? {} : { a: old });
  const { signal, status, stderr } = spawnSync(process.execPath, [program, folder, String(step), when, what]);
  if (signal === null && status !== 0) throw new Error(String(stderr));
  const at = path.join(folder, "a");
  const content = await readFile(at, "utf8").catch(() => undefined);
  const mode = content === undefined ? undefined : (await lstat(at)).mode & 0o7777;
  const others = (await readdir(folder)).filter((name) => name !== "a");
  return { killed: signal === "SIGKILL", content, mode, others };
}

/** A process each for some dozen steps, in ms */
const timeout = 120_000;

describe.each([
  ["replaces another", "content", OLD],
  ["makes a new one", "content", undefined],
  ["replaces another and keeps it", "backup", OLD],
  ["replaces another after it was validated", "validate", OLD],
])("a leaf that is killed at any step while it %s", { timeout }, (_, what, old) => {
  test.each(["before", BY_HALF])(
    "leaves the old file or the new one, whole and with its mode (%s the step)",
    async (when) => {
      const seen = { old: 0, fresh: 0 };
      for (let step = 1; ; step++) {
        const left = await killedAt(step, when, what, old);
        expect([old, NEW], `step ${step}`).toContain(left.content);
        if (left.content === NEW) expect(left.mode, `step ${step}`).toBe(0o640);
        if (!left.killed) {
          expect(left.content).toBe(NEW);
          break;
        }
        seen[left.content === NEW ? "fresh" : "old"]++;
        if (what !== "backup") continue;
        // A copy that was begun to be kept is whole too.
        for (const name of left.others.filter((other) => other.endsWith("~")))
          expect(name).toMatch(/^a\.\d{8}T\d{9}Z~$/);
      }
      // Steps before the rename and after it were tried: opening, writing, owner and mode, syncing, renaming.
      expect(seen.old).toBeGreaterThan(6);
      expect(seen.fresh).toBeGreaterThan(1);
    },
    60_000,
  );
});

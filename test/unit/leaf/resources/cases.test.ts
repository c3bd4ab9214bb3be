import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isRoot, playAsUser } from "./become-user.js";
import { CASES, type Case } from "./cases.js";
import { type Played, playAll } from "./play.js";

function judge(item: Case, { checked, untouched, applied, after, again }: Played): void {
  // What a check says is what the run does, to the last word, and it touches nothing.
  expect(checked).toEqual(applied);
  for (const at of Object.keys(item.state)) expect(untouched).toHaveProperty([at]);
  if (item.error !== undefined) {
    expect(applied.report).toMatchObject({ status: "failed", changes: [] });
    expect(applied.report.error).toContain(item.error);
    expect(applied.thrown).toBe(true);
    expect(after).toEqual(untouched);
    return;
  }
  expect(applied.report.error).toBeUndefined();
  expect(applied.report).toMatchObject({
    status: item.actions!.length > 0 ? "changed" : "ok",
    changes: item.actions,
  });
  if (item.diff !== undefined) expect(applied.report.diff).toBe(item.diff);
  expect(after).toEqual(item.after ?? untouched);
  if (item.actions!.length > 0) expect(after).not.toEqual(untouched);
  expect(again.report).toMatchObject({ status: "ok", changes: [] });
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "mop-test-"));
});
afterAll(async () => {
  await promisify(execFile)("chmod", ["-R", "u+rwX", folder]);
  await rm(folder, { recursive: true, force: true });
});

const title = ({ type, claim }: Case) => `${type}: ${claim}`;

describe("as the user of the tests", () => {
  const mine = CASES.filter((item) => item.only !== (isRoot ? "user" : "root"));
  test.each(mine.map((item) => [title(item), item] as const))("%s", async (_, item) => {
    const [played] = await playAll(folder, [item]);
    judge(item, played!);
  });
});

describe.skipIf(!isRoot)("as a user that is not root (needs root to become one)", () => {
  const theirs = CASES.filter((item) => item.only !== "root");
  let played: readonly Played[];
  beforeAll(async () => {
    played = (await playAsUser(folder, "cases")) as Played[];
  });
  test.each(theirs.map((item, index) => [title(item), item, index] as const))("%s", (_, item, index) => {
    judge(item, played[index]!);
  });
});

import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Files } from "../../../../../engine/leaf/files/files.js";
import { type ResourceReport, runResource } from "../../../../../engine/leaf/resource.js";
import type { AnyType } from "../../../../../engine/leaf/types/table.js";
import { build, look, Run, type Tree } from "../../resources/stage.js";

/** A case over real files: the home of the user "me", who is whoever runs the tests; "$" stands for it. */
export interface KeyCase {
  readonly claim: string;
  readonly state: Tree;
  readonly name?: string;
  readonly options: Record<string, unknown>;
  readonly actions?: readonly string[];
  readonly after?: Tree;
  /** Instead of `after`: what the one file's text must be like */
  readonly like?: readonly [at: string, text: RegExp];
  readonly error?: string;
}

async function run(type: AnyType, item: KeyCase, home: string, check: boolean): Promise<ResourceReport> {
  const files = new Files();
  const passwd = Buffer.from(`me:x:${process.geteuid?.()}:${process.getegid?.()}::${home}:/bin/sh\n`);
  const content = { hash: "", bytes: passwd };
  files.foresee("/etc/passwd", { kind: "file", mode: 0o644, uid: 0, gid: 0, size: passwd.length, content });
  const reports: ResourceReport[] = [];
  const options = JSON.parse(JSON.stringify(item.options).replaceAll("$", home)) as object;
  const extras = { report: (report: ResourceReport) => void reports.push(report) };
  await runResource(
    type,
    new Run({ check, diff: true, files }).context,
    item.name ?? "me",
    options,
    extras,
  ).catch((error: Error) => {
    if (error.name !== "ResourceError") throw error;
  });
  return JSON.parse(JSON.stringify(reports[0]).replaceAll(home, "$")) as ResourceReport;
}

/** Checks, applies and applies again. */
export function testKeyCases(type: AnyType, cases: readonly KeyCase[]): void {
  let folder: string;
  beforeAll(async () => {
    folder = await realpath(await mkdtemp(path.join(os.tmpdir(), "mop-keys-")));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  test.each(cases.map((item) => [item.claim, item] as const))(`${type.name}: %s`, async (_, item) => {
    const home = path.join(folder, `home-${cases.indexOf(item)}`);
    await build(home, { ".profile": "file 0644 x", ...item.state });
    const before = await look(home);
    const planned = await run(type, item, home, true);
    expect(await look(home)).toEqual(before);
    const applied = await run(type, item, home, false);
    expect({ ...applied, ms: 0 }).toEqual({ ...planned, ms: 0 });
    if (item.error !== undefined) {
      expect(applied).toMatchObject({ status: "failed", error: expect.stringContaining(item.error) });
      expect(await look(home)).toEqual(before);
      return;
    }
    expect(applied.error).toBeUndefined();
    expect(applied.changes).toEqual(item.actions);
    if (item.after) expect(await look(home)).toEqual({ ".profile": "file 0644 x", ...item.after });
    if (item.like) expect(await readFile(path.join(home, item.like[0]), "utf8")).toMatch(item.like[1]);
    expect(await run(type, item, home, false)).toMatchObject({ status: "ok", changes: [] });
  });
}

import { mkdir, realpath } from "node:fs/promises";
import path from "node:path";
import { CASES, type Case } from "./cases.js";
import { build, look, offering, type Ran, Run, type Tree } from "./stage.js";

/** What became of a case: each run's outcome and what stood there after it, with "$" for the case's folder. */
export interface Played {
  readonly checked: Ran;
  readonly untouched: Tree;
  readonly applied: Ran;
  readonly after: Tree;
  readonly again: Ran;
}

/** Plays cases below a folder, each in its own: checks, applies, and applies again. */
export async function playAll(below: string, cases: readonly Case[]): Promise<Played[]> {
  const umask = process.umask(0o022);
  try {
    const played: Played[] = [];
    for (const item of cases) played.push(await play(path.join(below, `case-${CASES.indexOf(item)}`), item));
    return played;
  } finally {
    process.umask(umask);
  }
}

async function play(at: string, { state, type, name, options, offered = {}, trees }: Case): Promise<Played> {
  await mkdir(at);
  const folder = await realpath(at);
  const fill = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll("$", folder)) as T;
  const hide = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll(folder, "$")) as T;
  await build(folder, fill(state));
  const own = Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key, typeof value === "string" ? fill(value) : value]),
  );
  const run = async (check: boolean) => {
    const all = offering({ "bin/run.sh": "#!/bin/sh\n", ...offered }, trees);
    return hide(await new Run({ check, diff: true, offered: all }).do(type, fill(name), own));
  };
  const checked = await run(true);
  const untouched = hide(await look(folder));
  const applied = await run(false);
  return { checked, untouched, applied, after: hide(await look(folder)), again: await run(false) };
}

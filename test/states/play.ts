import { execFile } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import path from "node:path";
import { gatherFacts } from "../../engine/leaf/facts/gather.js";
import * as files from "../../engine/leaf/parts/files.js";
import * as templates from "../../engine/leaf/parts/templates.js";
import type { ResourceReport } from "../../engine/leaf/resource.js";
import { RoleRenderer } from "../../engine/leaf/role/renderer.js";
import { offering, Run } from "../unit/leaf/resources/stage.js";
import type { State, StateTable } from "./state.js";

export interface Told {
  readonly report: ResourceReport;
  readonly said: readonly string[];
}

/** What became of a state; a "touched" is a path or a line that should be as it was. */
export interface Played {
  readonly checked: Told;
  readonly touchedByCheck: readonly string[];
  readonly applied: Told;
  /** Why what was asked for is not there; "" when it is */
  readonly lacks: string;
  readonly again: Told;
  /** The same behind the second apply */
  readonly lacksAgain: string;
  readonly touchedAgain: readonly string[];
  readonly ms: number;
}

/** What templates find, and variables of the role. */
const VARS = { port: 8080, names: ["a", "b"] };

/** Prepares each state, checks, applies and applies again, on this very machine. */
export async function playStates(table: StateTable, below: string, words: Words = {}): Promise<Played[]> {
  const home = realpathSync(below);
  if (table.prepare !== undefined) await shell(fill(table.prepare, { ...words, here: home }), home);
  const more = table.words === undefined ? {} : (JSON.parse(await shell(table.words, home)) as Words);
  const played: Played[] = [];
  for (const [index, state] of table.states.entries())
    played.push(await play(table, state, { ...words, ...more, here: path.join(home, String(index)) }));
  return played;
}

/** What stands for words in braces; "{port}" alone is the number itself. */
export type Words = Readonly<Record<string, string | number>>;

async function play(table: StateTable, state: State, words: Words & { here: string }): Promise<Played> {
  const begun = Date.now();
  const { here } = words;
  mkdirSync(here, { recursive: true });
  await shell(fill(state.prepare ?? "", words), here);
  const offered = offering({ ...state.offered }, state.trees);
  const run = async (check: boolean): Promise<Told> => {
    const facts = gatherFacts();
    const host = { name: "l1", groups: [] };
    const parts = { load: async (part: string) => ({ ...(part === "templates" ? templates : files) }) };
    const renderer = new RoleRenderer({ parts, offered, plan: { extraVars: {} }, vars: VARS, facts, host });
    const one = new Run({ check, diff: true, offered, facts, parts, renderer });
    const name = fill(state.name, words);
    const { report } = await one.do(state.type, name, fill({ ...state.options }, words));
    return hide({ report, said: one.output }, here);
  };
  const look = () => stampsOf([here, ...(table.untouched ?? [])], table.watch);
  const before = await look();
  const checked = await run(true);
  const touchedByCheck = differences(before, await look());
  const applied = await run(false);
  const lacking = async (lines: string | undefined) =>
    lines === undefined
      ? ""
      : shell(`set -x\n${fill(lines, words)}`, here).then(
          () => "",
          (error: Error) => error.message,
        );
  const lacks = await lacking(state.stands);
  const after = await look();
  const again = await run(false);
  const lacksAgain = await lacking(state.standsAgain);
  const touchedAgain = differences(after, await look());
  const ms = Date.now() - begun;
  return { checked, touchedByCheck, applied, lacks, again, lacksAgain, touchedAgain, ms };
}

/** Deep, but functions and bytes stay what they are. */
function fill<T>(value: T, words: Words): T {
  if (typeof value === "string") {
    const whole = /^\{(\w+)\}$/.exec(value)?.[1];
    if (whole !== undefined && typeof words[whole] === "number") return words[whole] as T;
    return value.replace(/\{(\w+)\}/g, (text, word: string) => String(words[word] ?? text)) as T;
  }
  if (Array.isArray(value)) return value.map((one: unknown) => fill(one, words)) as T;
  if (value === null || typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fill(one, words)])) as T;
}

const hide = <T>(value: T, here: string): T =>
  JSON.parse(JSON.stringify(value).replaceAll(here, "{here}")) as T;

function shell(lines: string, cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile("/bin/sh", ["-e"], { cwd, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${lines}\n${stderr}${stdout}`));
      else resolve(stdout);
    });
    child.stdin?.end(lines);
  });
}

/** Everything below some folders, each with what changes when somebody writes, and the lines of a command. */
async function stampsOf(
  folders: readonly string[],
  watch: string | undefined,
): Promise<ReadonlyMap<string, string>> {
  const stamps = new Map<string, string>();
  const walk = (at: string) => {
    const { mode, uid, gid, size, mtimeNs, ino } = lstatSync(at, { bigint: true });
    const kind = Number(mode) & 0o170000;
    const isFolder = kind === 0o040000;
    stamps.set(at, [mode, uid, gid, ino, mtimeNs, isFolder ? "" : size].join(" "));
    if (kind === 0o120000) stamps.set(`${at} ->`, readlinkSync(at));
    if (isFolder) for (const name of readdirSync(at)) walk(path.join(at, name));
  };
  for (const folder of folders) if (existsSync(folder)) walk(folder);
  const lines = watch === undefined ? [] : (await shell(watch, "/")).split("\n");
  for (const [index, line] of lines.entries()) stamps.set(`line ${index + 1} of what is watched`, line);
  return stamps;
}

function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter((key) => before.get(key) !== after.get(key));
}

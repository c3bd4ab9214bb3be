import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { Refusal } from "../../../../engine/leaf/errors.js";
import { Files } from "../../../../engine/leaf/files/files.js";
import type { Command } from "../../../../engine/leaf/process/children.js";
import { type ResourceReport, runResource } from "../../../../engine/leaf/resource.js";
import { Reboots } from "../../../../engine/leaf/role/reboots.js";
import type { RoleTools } from "../../../../engine/leaf/type.js";
import type { AnyType } from "../../../../engine/leaf/types/table.js";
import type { Facts } from "../../../../engine/vocabulary/facts.js";
import { offering } from "../resources/stage.js";

/** What a program says: its output, or its status and outputs. */
export type Answer = string | { readonly rc: number; readonly stdout?: string; readonly stderr?: string };

/** A host as a type sees it: what its programs answer (by the whole command line) and what its files hold. */
export interface SystemState {
  readonly programs?: Readonly<Record<string, Answer>>;
  /** Absolute path to content, laid over the real files; null: there is none */
  readonly files?: Readonly<Record<string, string | null>>;
  /** Files of the policy's folder */
  readonly offered?: Readonly<Record<string, string>>;
  readonly facts?: Partial<Facts>;
}

/** State and parameters in, plan out. */
export interface SystemCase {
  readonly claim: string;
  readonly state: SystemState;
  readonly name: string;
  readonly options?: Record<string, unknown>;
  /** What it would do; [] for nothing. Or `error`: what its sentence contains. */
  readonly actions?: readonly string[];
  readonly error?: string;
  readonly diff?: string;
  /**
   * Command lines that the run carries out beside those of `state`, in order, each with success. Without it the case
   * is planned only: for types that write to the system's own files, which container tests try for real.
   */
  readonly ran?: readonly string[];
  /** What the host looks like afterwards: the second run finds nothing to do */
  readonly after?: SystemState;
}

/** What managers work out without doing it is fine, unless the state says otherwise. */
const REHEARSAL = /^(apt-get -s |dnf --assumeno |zypper .*--dry-run|pacman -[SR]p )/;

/** What a state's files lie in exists, whatever this machine has. */
function layFolders(files: Files, places: readonly string[]): void {
  const laid = new Set<string>();
  for (const place of places)
    for (let at = path.dirname(place); at !== "/" && !existsSync(at); at = path.dirname(at)) laid.add(at);
  for (const at of [...laid].sort())
    files.foresee(at, { kind: "directory", mode: 0o755, uid: 0, gid: 0, fresh: true });
}

interface SystemRun {
  readonly report: ResourceReport;
  readonly ran: readonly string[];
}

async function run(
  type: AnyType,
  item: Pick<SystemCase, "name" | "options" | "after">,
  state: SystemState,
  mode: "check" | "apply",
): Promise<SystemRun> {
  const files = new Files();
  layFolders(files, Object.keys(state.files ?? {}));
  for (const [at, content] of Object.entries(state.files ?? {})) {
    const bytes = Buffer.from(content ?? "");
    const attributes = { mode: 0o644, uid: 0, gid: 0 };
    const hash = createHash("sha256").update(bytes).digest("hex");
    files.foresee(
      at,
      content === null
        ? undefined
        : { ...attributes, kind: "file", size: bytes.length, content: { hash, bytes } },
    );
  }
  const ran: string[] = [];
  const tools: RoleTools = {
    check: mode === "check",
    diff: true,
    facts: { platform: "linux", ...state.facts } as Facts,
    files,
    offered: offering({ ...state.offered }),
    children: {
      async run({ file, args, onOutput }: Command) {
        const line = [file, ...args].join(" ");
        // What a type looks at once it has done something is the host as it is afterwards.
        let answer = (ran.length > 0 ? item.after?.programs?.[line] : undefined) ?? state.programs?.[line];
        if (answer === undefined && REHEARSAL.test(line)) answer = "";
        if (answer === undefined) {
          // A plan may only ask what the state answers.
          if (mode === "check")
            throw new Refusal(`the plan runs \`${line}\`, which the state does not answer`);
          ran.push(line);
          answer = "";
        }
        const {
          rc,
          stdout = "",
          stderr = "",
        } = typeof answer === "string" ? { rc: 0, stdout: answer } : answer;
        if (stdout !== "") await onOutput("stdout", stdout);
        if (stderr !== "") await onOutput("stderr", stderr);
        return { rc, signal: null };
      },
    },
    renderer: { file: async (name) => name, text: async (text) => text },
    parts: { load: async () => ({}) },
    reboots: new Reboots(),
    fetched: {
      held: () => undefined,
      place: (folder, at) => folder + at,
      remember: () => undefined,
      send: async () => undefined,
    },
    signal: new AbortController().signal,
    output: async () => undefined,
  };
  const reports: ResourceReport[] = [];
  await runResource(type, tools, item.name, item.options, {
    report: (report) => void reports.push(report),
  }).catch((error: Error) => {
    if (error.name !== "ResourceError") throw error;
  });
  expect(reports).toHaveLength(1);
  return { report: reports[0]!, ran };
}

/** Their plans look whether the system's own folders may be written in, which only root may. */
const OF_ROOT: ReadonlySet<string> = new Set([
  ...["repository", "sysctl", "kernelModule", "cron", "hostname", "mount"],
]);
const isRoot = process.getuid?.() === 0;

/** A test for each case: plans it, and applies it where the case says what that runs. */
export function testSystemCases(type: AnyType, cases: readonly SystemCase[]): void {
  const skipped = OF_ROOT.has(type.name) && !isRoot;
  const title = skipped ? `${type.name} (needs root, whose folders it plans in)` : type.name;
  const each = skipped ? test.skip : test;
  each.each(cases.map((item) => [item.claim, item] as const))(`${title}: %s`, async (_, item) => {
    const planned = await run(type, item, item.state, "check");
    if (item.error !== undefined) {
      expect(planned.report).toMatchObject({ status: "failed", error: expect.stringContaining(item.error) });
      return;
    }
    expect(planned.report.error).toBeUndefined();
    expect(planned.report.changes).toEqual(item.actions);
    expect(planned.report.status).toBe(item.actions?.length ? "changed" : "ok");
    if (item.diff !== undefined) expect(planned.report.diff).toBe(item.diff);
    if (item.ran !== undefined) {
      const applied = await run(type, item, item.state, "apply");
      expect(applied.report).toMatchObject({
        changes: planned.report.changes,
        status: planned.report.status,
      });
      expect(applied.ran).toEqual(item.ran);
    }
    if (item.after === undefined) return;
    const again = await run(type, item, item.after, "check");
    expect(again.report).toMatchObject({ status: "ok", changes: [] });
  });
}

/** The command line as a user runs it: the built program as a process, its JSON events, its exit status. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { HostEvent, ResourceEvent, RunEvent, SummaryEvent } from "../../engine/vocabulary/events.js";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const MAIN = path.join(ROOT, "dist/cli/main.js");

/** The program is built (`npm test` does it first). */
export const built = existsSync(MAIN);

/** Nothing that a test starts may outlive it; a run this long hangs, though the machine is busy. */
const HANGS_MS = 250_000;

export interface MopOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly onEvent?: (event: RunEvent) => void;
}

export interface MopRun {
  /** Exit status; null when a signal ended it */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Lines of stdout, when they are JSON */
  readonly events: readonly RunEvent[];
  /** Wall time of the whole process, in ms */
  readonly ms: number;
}

export interface StartedMop {
  readonly child: ChildProcess;
  readonly done: Promise<MopRun>;
}

export function startMop(args: readonly string[], options: MopOptions = {}): StartedMop {
  if (!built) throw new Error(`${MAIN} is missing: npm run build comes first`);
  // A home of its own: neither keys nor known hosts nor configuration of whoever runs the tests.
  const home = mkdtempSync(path.join(os.tmpdir(), "mop-home-"));
  const begun = performance.now();
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: options.cwd ?? ROOT,
    env: { PATH: process.env.PATH, HOME: home, TMPDIR: os.tmpdir(), NO_COLOR: "1", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const events: RunEvent[] = [];
  let stdout = "";
  let stderr = "";
  let line = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    const lines = (line + text).split("\n");
    line = lines.pop() ?? "";
    for (const complete of lines) {
      if (!complete.startsWith("{")) continue;
      const event = JSON.parse(complete) as RunEvent;
      events.push(event);
      options.onEvent?.(event);
    }
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const done = new Promise<MopRun>((resolve, reject) => {
    const late = setTimeout(() => child.kill("SIGKILL"), HANGS_MS);
    child.once("error", reject);
    child.once("close", (status) => {
      clearTimeout(late);
      rmSync(home, { recursive: true, force: true });
      resolve({ status, stdout, stderr, events, ms: performance.now() - begun });
    });
  });
  return { child, done };
}

export const mop = (args: readonly string[], options?: MopOptions): Promise<MopRun> =>
  startMop(args, options).done;

export const resourcesOf = (run: MopRun, host?: string): ResourceEvent[] =>
  run.events.filter(
    (event): event is ResourceEvent =>
      event.event === "resource" && (host === undefined || event.host === host),
  );

/** "file app.conf" of what changed, in order, without the folder that differs from host to host. */
export const changedOf = (run: MopRun, host?: string): string[] =>
  resourcesOf(run, host)
    .filter((event) => event.status === "changed")
    .map((event) => `${event.type} ${path.basename(event.name)}`);

export const connectedOf = (run: Pick<MopRun, "events">): Extract<HostEvent, { state: "connected" }>[] =>
  run.events.filter(
    (event): event is Extract<HostEvent, { state: "connected" }> =>
      event.event === "host" && event.state === "connected",
  );

export const unreachableOf = (run: Pick<MopRun, "events">): Extract<HostEvent, { state: "unreachable" }>[] =>
  run.events.filter(
    (event): event is Extract<HostEvent, { state: "unreachable" }> =>
      event.event === "host" && event.state === "unreachable",
  );

export function summaryOf(run: MopRun): SummaryEvent {
  const summary = run.events.at(-1);
  if (summary?.event !== "summary")
    throw new Error(`no summary at the end (status ${run.status}):\n${run.stdout}\n${run.stderr}`);
  return summary;
}

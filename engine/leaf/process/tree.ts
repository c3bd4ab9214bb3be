import { readdirSync, readFileSync } from "node:fs";

/** A process, told apart from a later one that gets its number. */
export interface Process {
  readonly pid: number;
  /** When it started, as the kernel counts */
  readonly started: string;
}

/**
 * The processes that descend from one, as long as their parents live: those too that left its group, as under `setsid`.
 * Empty where there is no /proc.
 */
export function descendants(...roots: readonly number[]): Process[] {
  const byParent = new Map<number, Process[]>();
  for (const name of list("/proc")) {
    const found = /^\d+$/.test(name) ? look(Number(name)) : undefined;
    if (!found) continue;
    const siblings = byParent.get(found.parent) ?? [];
    siblings.push(found);
    byParent.set(found.parent, siblings);
  }
  const all: Process[] = [];
  const pending = [...roots];
  const seen = new Set(roots);
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop())
    for (const child of byParent.get(pid) ?? []) {
      if (seen.has(child.pid)) continue;
      seen.add(child.pid);
      all.push(child);
      pending.push(child.pid);
    }
  return all;
}

/**
 * Ends a process with its group and all that descends from it, or from those that were known to: none gets away by
 * starting another.
 */
export function killTree(root: number, known: readonly Process[] = descendants(root)): void {
  const all: Process[] = [];
  signalGroup(root, "SIGSTOP");
  for (let found = known; ; ) {
    all.push(...found);
    // What is stopped starts nothing any more.
    signalAll(found, "SIGSTOP");
    const alive = all.filter(({ pid, started }) => look(pid)?.started === started);
    const seen = new Set(all.map(({ pid }) => pid));
    found = descendants(root, ...alive.map(({ pid }) => pid)).filter(({ pid }) => !seen.has(pid));
    if (found.length === 0) break;
  }
  signalGroup(root, "SIGKILL");
  signalAll(all, "SIGKILL");
}

export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // It is gone already.
  }
}

/** Sends a signal to those that still are what they were. */
export function signalAll(processes: readonly Process[], signal: NodeJS.Signals): void {
  for (const { pid, started } of processes) {
    if (look(pid)?.started !== started) continue;
    try {
      process.kill(pid, signal);
    } catch {
      // It is gone already, or has become another user's.
    }
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function look(pid: number): (Process & { readonly parent: number }) | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in parentheses may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { pid, parent: Number(fields[1]), started: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

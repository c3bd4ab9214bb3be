/** Memory of processes, as Linux counts it. */
import { readFileSync } from "node:fs";

/** The largest resident size that a process ever had, in bytes; undefined where it is gone or nobody counts. */
export function peakResident(pid: number): number | undefined {
  try {
    const found = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return found ? Number(found[1]) * 1024 : undefined;
  } catch {
    return undefined;
  }
}

/** Whether this system tells. */
export const countsMemory = peakResident(process.pid) !== undefined;

/** Looks again and again at groups of processes, and keeps the largest peak of each group. */
export function watchResident(groups: Readonly<Record<string, () => readonly number[]>>) {
  const peaks: Record<string, number> = {};
  const look = () => {
    for (const [name, pids] of Object.entries(groups))
      for (const pid of pids()) peaks[name] = Math.max(peaks[name] ?? 0, peakResident(pid) ?? 0);
  };
  const timer = setInterval(look, 50);
  return {
    /** The peaks so far, by group */
    peaks: peaks as Readonly<Record<string, number>>,
    stop: () => clearInterval(timer),
  };
}

/** What tests look for on the lab's hosts and in a run's events. */
import { type MopRun, resourcesOf } from "../../support/mop.js";
import type { FileStamps } from "./container-host.js";
import type { ContainerLab } from "./container-lab.js";

/** A node ends with its link or after 8 s of silence; nothing of ours may be there after this. In ms. */
export const CLEAN_WITHIN_MS = 10_000;

/**
 * What each resource did or would do, host by host in the order of the role. A check skips a command that changes
 * nothing by its own word (interface.md, section 4): run, it is in order.
 */
export function deeds(run: MopRun) {
  return resourcesOf(run)
    .map(({ host, type, name, status, changes, diff }) => ({
      host,
      type,
      name,
      status: type === "shell" && status === "skipped" ? "ok" : status,
      changes,
      diff,
    }))
    .sort((a, b) => a.host.localeCompare(b.host));
}

const onEach = async <T>(lab: ContainerLab, look: (name: string) => Promise<readonly T[]>) =>
  (await Promise.all([...lab.hosts.keys()].map(look))).flat();

/** Everything that runs on any host beyond the container itself: sessions, shells, nodes, commands. */
export const processesOf = (lab: ContainerLab): Promise<string[]> =>
  onEach(lab, async (name) => (await lab.host(name).processes()).map((line) => `${name}: ${line.trim()}`));

/** The same without sshd's sessions: those of a silently lost connection are sshd's to end. */
export const oursOf = async (lab: ContainerLab): Promise<string[]> =>
  (await processesOf(lab)).filter((line) => !/ sshd: \S+/.test(line));

/** The file systems of some hosts, by name. */
export async function stampsOf(
  lab: ContainerLab,
  names: readonly string[],
): Promise<Map<string, FileStamps>> {
  const stamps = await Promise.all(names.map((name) => lab.host(name).files()));
  return new Map(names.map((name, i) => [name, stamps[i]!]));
}

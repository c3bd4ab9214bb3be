/** One measured push: the whole command as a process, from its start to its end. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerLab } from "../containers/support/container-lab.js";
import { type MopRun, mop, summaryOf } from "../support/mop.js";

export interface Pushed {
  /** Wall time of the process, in ms */
  readonly ms: number;
  /** Bytes over the first link, both directions, as the proxy counted them */
  readonly wan: { readonly sent: number; readonly received: number };
  /** Bytes of every link by the run's own summary */
  readonly links: readonly { from: string; to: string; sent: number; received: number }[];
}

export interface PushCase {
  readonly policy: string;
  /** Names of the hosts */
  readonly hosts: readonly string[];
  readonly args?: readonly string[];
  /** Resources that each host has to change; undefined: nobody counts */
  readonly changed?: number;
}

/** Nothing may be left of the push before: no node of ours, and, for a first run, no file of the role. */
export async function clean(lab: ContainerLab, hosts: readonly string[], files: boolean): Promise<void> {
  if (files) await Promise.all(hosts.map((name) => lab.host(name).sh("rm -rf /srv/bench")));
  const used = [...lab.bastions, ...hosts];
  for (let tries = 0; ; tries++) {
    const left = (await Promise.all(used.map((name) => lab.host(name).nodePids()))).flat();
    if (left.length === 0) return;
    if (tries === 100) throw new Error(`nodes of the push before are still there: ${left.join(", ")}`);
    await sleep(100);
  }
}

/** Throws when the push did not do what it was measured for. */
export async function push(lab: ContainerLab, one: PushCase): Promise<Pushed> {
  lab.link.resetCounters();
  const run = await mop([
    ...["push", one.policy, ...lab.options, "-o", "json"],
    ...["--limit-hosts", one.hosts.join(","), ...(one.args ?? [])],
  ]);
  check(run, one);
  const { toTarget: sent, fromTarget: received } = lab.link;
  return { ms: run.ms, wan: { sent, received }, links: summaryOf(run).links };
}

function check(run: MopRun, { hosts, changed }: PushCase): void {
  const said = `${run.stderr}${run.stdout.slice(-2000)}`;
  if (run.status !== 0) throw new Error(`the push ended with status ${run.status}: ${said}`);
  for (const name of hosts) {
    const summary = summaryOf(run).hosts[name];
    if (!summary || (changed !== undefined && summary.changed !== changed))
      throw new Error(`${name} changed ${summary?.changed} resources instead of ${changed}: ${said}`);
  }
}

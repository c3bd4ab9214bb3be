import type { HostResult } from "../../vocabulary/language.js";
import { amountOf, batchSizes } from "./batches.js";
import { afterContact, contactable, runHost } from "./run-host.js";
import { type RoleRun, reachNode, sendAhead, type Task } from "./task.js";

type Status = HostResult["status"] | "untouched";

/**
 * One role on its hosts, a batch at a time; a batch starts when the one before is over on every host. Gives the reason
 * why no later role may start, if there is one.
 */
export async function runRole(run: RoleRun, tasks: readonly Task[]): Promise<string | undefined> {
  const { entry } = run.role;
  if (entry.runOnce) return runOnce(run, tasks);
  const allowed = amountOf(entry.maxFailures ?? 0, tasks.length);
  const failed: string[] = [];
  const lost: string[] = [];
  let from = 0;
  for (const size of batchSizes(entry.serial, tasks.length)) {
    if (run.signal?.aborted) break;
    const batch = tasks.slice(from, from + size);
    from += size;
    const statuses = await runBatch(run, batch);
    batch.forEach(({ host }, index) => {
      const status = statuses[index];
      if (status === "failed") failed.push(host.name);
      if (status === "unreachable") lost.push(host.name);
    });
    const rest = tasks.slice(from);
    if (failed.length + lost.length <= allowed || rest.length === 0 || run.signal?.aborted) continue;
    const reason = failure(run, failed, lost, allowed);
    leaveOut(run, rest, reason);
    return reason;
  }
  return failed.length > allowed ? failure(run, failed, [], allowed) : undefined;
}

function failure(
  { role }: RoleRun,
  failed: readonly string[],
  lost: readonly string[],
  allowed: number,
): string {
  const parts = [
    ...(failed.length > 0 ? [`failed on ${failed.join(", ")}`] : []),
    ...(lost.length > 0 ? [`could not reach ${lost.join(", ")}`] : []),
  ];
  return `role ${role.name} ${parts.join(" and ")}${allowed > 0 ? `; at most ${allowed} may be lost` : ""}`;
}

/** On the first host that can be reached, and on no other. */
async function runOnce(run: RoleRun, tasks: readonly Task[]): Promise<string | undefined> {
  for (const task of tasks) {
    if (run.signal?.aborted) break;
    const [status] = await runBatch(run, [task]);
    if (status === "failed") return failure(run, [task.host.name], [], 0);
    if (status === "ok") break;
  }
  return undefined;
}

/** Tells which hosts a role was not started on, and why. */
export function leaveOut(run: RoleRun, tasks: readonly Task[], reason: string): void {
  const hosts = tasks.map(({ host }) => host.name);
  if (hosts.length > 0) run.report({ event: "stopped", role: run.role.name, hosts, reason });
}

/**
 * Hooks first, for the whole batch at once, then the hosts together: so that what all of them need crosses each link
 * once. What became of each host, in order.
 */
export async function runBatch(run: RoleRun, batch: readonly Task[]): Promise<Status[]> {
  const willing = await Promise.all(batch.map(({ host }) => contactable(run, host)));
  const statuses: Status[] = willing.map((answer) => (answer === "failed" ? "failed" : "untouched"));
  if (run.signal?.aborted) {
    // Whoever took a host out of service puts it back, though nothing happened there.
    const nothing = { status: "failed", ok: 0, changed: 0, failed: 0, skipped: 0 } as const;
    const result: HostResult = { ...nothing, error: "The run was interrupted" };
    const taken = batch.filter((_, index) => willing[index] === "yes");
    await Promise.all(taken.map(({ host }) => afterContact(run, host, result)));
    return statuses;
  }
  const nodes = batch.map((task, index) => (willing[index] === "yes" ? reachNode(run, task) : undefined));
  sendAhead(run, nodes);
  await Promise.all(
    batch.map(async (task, index) => {
      const node = nodes[index];
      if (node) statuses[index] = (await runHost(run, task, node)).status;
    }),
  );
  return statuses;
}

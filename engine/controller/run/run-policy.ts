import type { Mesh } from "../../../relay/mesh/types.js";
import { withWays } from "../route/way-mesh.js";
import { withoutSecrets } from "../secrets/known-secrets.js";
import { maskReport } from "../secrets/mask-report.js";
import { HostState } from "./host-state.js";
import { logOrder } from "./leaf-log.js";
import type { Report, RunOptions, RunResult } from "./options.js";
import { type PreparedEntry, type PreparedRun, prepareRun } from "./prepare.js";
import { leaveOut, runBatch, runRole } from "./run-role.js";
import { SecondRun } from "./second-run.js";
import { summarize } from "./summarize.js";
import { type RoleRun, reachNode, sendAhead, type Task } from "./task.js";

/**
 * Applies a policy over a mesh. Throws PolicyError before anything was contacted; afterwards whatever happens on a
 * host is reported and counted, and nothing is thrown. The mesh stays open for its owner to close, unless `closes` says otherwise.
 */
export async function runPolicy(options: RunOptions, mesh: Mesh, report: Report): Promise<RunResult> {
  return executeRun(await prepareRun(options), mesh, report);
}

/** A role with what its run needs, on the hosts that are still in. */
interface Step {
  readonly run: RoleRun;
  readonly tasks: readonly Task[];
}

export async function executeRun(prepared: PreparedRun, mesh: Mesh, given: Report): Promise<RunResult> {
  const started = performance.now();
  const { options } = prepared;
  const report = maskReport(given);
  const hosts = new Map(
    [...prepared.hosts].map(([name, host]) => [name, new HostState(host, report)] as const),
  );
  const delegates = new Map(
    [...prepared.delegates].map(([name, host]) => [name, hosts.get(name) ?? new HostState(host, report)]),
  );
  const parts = { mesh: withWays(mesh), hosts, delegates, ...common(options) };
  const states = [...hosts.values()];
  const stopped = await runAll(prepared, { ...parts, report });
  if (options.verify && !options.signal?.aborted) {
    if (stopped !== undefined || states.some(({ failed }) => failed)) {
      options.onWarning?.("the second run of --verify was left out, since the first one failed");
    } else {
      const second = new SecondRun(report, states);
      await runAll(prepared, { ...parts, report: second.report });
      second.conclude();
    }
  }
  return summarize(states, mesh, report, started, options);
}

/** What the runs of a push share. */
interface RunParts extends Pick<RoleRun, "mesh" | "report" | "notice" | "log"> {
  readonly hosts: ReadonlyMap<string, HostState>;
  readonly delegates: ReadonlyMap<string, HostState>;
}

function common({ check, log = {}, onWarning }: RunOptions): Pick<RoleRun, "notice" | "log"> {
  const told = new Set<string>();
  return {
    log: check || log === false ? null : logOrder(log),
    // Each role of a host would say it again.
    notice(host, text) {
      const notice = withoutSecrets(`${host}: ${text}`);
      if (!told.has(notice)) onWarning?.(notice);
      told.add(notice);
    },
  };
}

/** All roles once, on the hosts that are still in. Gives the reason why not all of them were started, if there is one. */
async function runAll(
  { options, loaded, wing, roles }: PreparedRun,
  { hosts: states, delegates, ...parts }: RunParts,
): Promise<string | undefined> {
  const { signal, check = false, extraVars = {} } = options;
  const stepOf = ({ role, hosts, delegate, become }: PreparedEntry): Step => ({
    run: {
      role,
      wing: wing.entry.hash,
      extraVars,
      positions: loaded.positions,
      folder: loaded.folder,
      check,
      signal,
      ...parts,
    },
    tasks: hosts
      .map((host) => states.get(host.name)!)
      .filter((state) => !state.summary.unreachable && !state.failed)
      .map((host) => {
        const at = delegates.get(delegate.get(host.name) ?? "") ?? host;
        return { host, at, become: become.get(at.name) };
      }),
  });
  let stopped: string | undefined;
  for (const stage of stages(roles)) {
    if (signal?.aborted) break;
    const steps = stage.map(stepOf);
    if (stopped !== undefined) {
      // A barrier: what comes later may rely on the role before everywhere.
      for (const { run, tasks } of steps) leaveOut(run, tasks, stopped);
      continue;
    }
    const [first] = steps;
    if (first)
      stopped =
        first.run.role.entry.strategy === "free"
          ? await runFreely(steps)
          : await runRole(first.run, first.tasks);
  }
  return stopped;
}

/** Roles that run one after another; those with the strategy "free" that follow each other are one stage. */
function stages(roles: readonly PreparedEntry[]): PreparedEntry[][] {
  const all: PreparedEntry[][] = [];
  const isFree = (entry: PreparedEntry | undefined) => entry?.role.entry.strategy === "free";
  for (const entry of roles) {
    const last = all.at(-1);
    if (last && isFree(last[0]) && isFree(entry)) last.push(entry);
    else all.push([entry]);
  }
  return all;
}

/**
 * Each host goes through the roles at its own pace, and stops at the first that fails there. Gives the reason why
 * nothing may come after them, if there is one.
 */
async function runFreely(steps: readonly Step[]): Promise<string | undefined> {
  for (const { run, tasks } of steps)
    sendAhead(
      run,
      tasks.map((task) => reachNode(run, task)),
    );
  const hosts = new Set(steps.flatMap(({ tasks }) => tasks.map(({ host }) => host)));
  let failure: string | undefined;
  await Promise.all(
    [...hosts].map(async (host) => {
      let bad: string | undefined;
      for (const { run, tasks } of steps) {
        const task = tasks.find((one) => one.host === host);
        if (!task || run.signal?.aborted) continue;
        if (bad !== undefined) {
          leaveOut(run, [task], `role ${bad} failed there`);
          continue;
        }
        const [status] = await runBatch(run, [task]);
        if (status === "failed") failure ??= `role ${run.role.name} failed on ${host.name}`;
        if (status === "failed" || status === "unreachable") bad = run.role.name;
      }
    }),
  );
  return failure;
}

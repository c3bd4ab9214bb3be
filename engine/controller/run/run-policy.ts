import type { Mesh } from "../../../relay/mesh/types.js";
import { HostState } from "./host-state.js";
import type { Report, RunOptions, RunResult } from "./options.js";
import { type PreparedRun, prepareRun } from "./prepare.js";
import { runRole } from "./run-role.js";
import { summarize } from "./summarize.js";

/**
 * Applies a policy over a mesh. Throws PolicyError before anything was contacted; afterwards whatever happens on a
 * host is reported and counted, and nothing is thrown. The mesh stays open: its owner closes it.
 */
export async function runPolicy(options: RunOptions, mesh: Mesh, report: Report): Promise<RunResult> {
  return executeRun(await prepareRun(options), mesh, report);
}

export async function executeRun(prepared: PreparedRun, mesh: Mesh, report: Report): Promise<RunResult> {
  const started = performance.now();
  const { options, loaded, wing, roles } = prepared;
  const states = new Map(
    [...prepared.hosts].map(([name, host]) => [name, new HostState(host, report)] as const),
  );
  for (const { role, hosts } of roles) {
    const reachable = hosts
      .map((host) => states.get(host.name)!)
      .filter((state) => !state.summary.unreachable);
    await runRole({
      role,
      hosts: reachable,
      mesh,
      wing: wing.entry.hash,
      folder: loaded.folder,
      check: options.check ?? false,
      extraVars: options.extraVars ?? {},
      positions: loaded.positions,
      report,
      signal: options.signal,
    });
    // A barrier: what comes later may rely on this role everywhere.
    if (options.signal?.aborted || reachable.some((state) => state.failed)) break;
  }
  return summarize([...states.values()], mesh, report, started, options.signal?.aborted ?? false);
}

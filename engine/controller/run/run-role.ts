import type { Mesh, NodeHandle } from "../../../relay/mesh/types.js";
import { asMopError } from "../../../transport/errors.js";
import type { Value } from "../../../transport/types.js";
import { encodeValue } from "../../../transport/wire/value.js";
import type { HostResult } from "../../vocabulary/language.js";
import type { RoleOrder } from "../../vocabulary/order.js";
import { FetchedFiles } from "../files/fetched-files.js";
import { mapPosition, type SourcePositions } from "../policy/source-positions.js";
import { messageOf, placeText } from "../policy-error.js";
import { hostVariables, type PlainVars } from "../variables.js";
import type { HostState } from "./host-state.js";
import type { Report } from "./options.js";
import type { PreparedRole } from "./role-plan.js";
import { runWing, type WingOutcome } from "./run-wing.js";

export interface RoleRun {
  readonly role: PreparedRole;
  readonly hosts: readonly HostState[];
  readonly mesh: Mesh;
  readonly wing: string;
  readonly extraVars: PlainVars;
  /** The policy's folder */
  readonly folder: string;
  readonly check: boolean;
  readonly positions: SourcePositions;
  readonly report: Report;
  readonly signal?: AbortSignal | undefined;
}

/** One role on all its hosts, `serial` at a time. A host that fails doesn't stop the others. */
export async function runRole(run: RoleRun): Promise<void> {
  const size = run.role.entry.serial ?? Math.max(1, run.hosts.length);
  for (let from = 0; from < run.hosts.length && !run.signal?.aborted; from += size)
    await runBatch(run, run.hosts.slice(from, from + size));
}

/**
 * Hooks first, for the whole batch at once, then the hosts together: so that what all of them need crosses each link
 * once.
 */
async function runBatch(run: RoleRun, batch: readonly HostState[]): Promise<void> {
  const { role, mesh } = run;
  const willing = await Promise.all(batch.map((host) => contactable(run, host)));
  if (run.signal?.aborted) {
    // Whoever took a host out of service puts it back, though nothing happened there.
    const untouched = { status: "failed", ok: 0, changed: 0, failed: 0, skipped: 0 } as const;
    const result: HostResult = { ...untouched, error: "The run was interrupted" };
    await Promise.all(batch.filter((_, index) => willing[index]).map((host) => after(run, host, result)));
    return;
  }
  const nodes = batch
    .filter((_host, index) => willing[index])
    .map((host): [HostState, NodeHandle] => [host, host.reach(mesh)]);
  if (nodes.length === 0) return;
  const handles = nodes.map(([, node]) => node);
  mesh.offer(role.blobs, handles);
  mesh.push(role.needed, handles);
  await Promise.all(nodes.map(([host, node]) => runHost(run, host, node)));
}

/** Asks `shouldContact` and runs `beforeContact`; a hook that throws fails its host, which is left alone then. */
async function contactable(run: RoleRun, host: HostState): Promise<boolean> {
  const { entry } = run.role;
  let hook = "shouldContact";
  try {
    if (entry.shouldContact && !(await entry.shouldContact(host.policyHost))) return false;
    hook = "beforeContact";
    await entry.beforeContact?.(host.policyHost);
    return true;
  } catch (error) {
    failHost(run, host, hookMessage(run, hook, error));
    return false;
  }
}

async function runHost(run: RoleRun, host: HostState, node: NodeHandle): Promise<void> {
  const before = { ...host.summary };
  const { fetchTo } = run.role;
  const fetched = new FetchedFiles({ folder: run.folder, host: host.name, fetchTo, check: run.check });
  const outcome = await fetched.held().then(
    (held) =>
      runWing(host, node, {
        entry: run.wing,
        order: roleOrder(run, host, fetchTo.length > 0 ? held : undefined),
        signal: run.signal,
        onEvent(event) {
          if (event.event === "fetch") return fetched.take(event);
          if (event.event === "output") return run.report({ ...event, host: host.name });
          host.count(event.status);
          const { event: kind, ...rest } = event;
          run.report({ event: kind, host: host.name, role: run.role.name, ...rest });
        },
      }),
    (error: unknown): WingOutcome => ({ kind: "lost", error: asMopError(error) }),
  );
  await fetched.close();
  const error = conclude(run, host, outcome, before.failed);
  const count = (status: "ok" | "changed" | "failed" | "skipped") => host.summary[status] - before[status];
  const result: HostResult = {
    status: outcome.kind === "unreachable" ? "unreachable" : error === undefined ? "ok" : "failed",
    ok: count("ok"),
    changed: count("changed"),
    failed: count("failed"),
    skipped: count("skipped"),
    ...(error === undefined ? {} : { error }),
  };
  await after(run, host, result);
}

async function after(run: RoleRun, host: HostState, result: HostResult): Promise<void> {
  try {
    await run.role.entry.afterContact?.(host.policyHost, result);
  } catch (thrown) {
    failHost(run, host, hookMessage(run, "afterContact", thrown));
  }
}

/** Reports how a host's part ended; its error, if it was one. */
function conclude(
  run: RoleRun,
  host: HostState,
  outcome: WingOutcome,
  failedBefore: number,
): string | undefined {
  if (outcome.kind === "unreachable") {
    host.lost(outcome.loss);
    return outcome.loss.error.message;
  }
  const told = outcomeError(outcome);
  const error = told === undefined ? undefined : inOwnFiles(told, run.role.map);
  if (error === undefined) {
    run.report({ event: "role", host: host.name, role: run.role.name, status: "ok" });
    return undefined;
  }
  failHost(run, host, error, host.summary.failed > failedBefore);
  return error;
}

/** Leaves know places in what travelled ("role.js:12:5"); the operator has the policy's own files. */
function inOwnFiles(text: string, map: string): string {
  return text.replace(/\brole\.js:(\d{1,9}):(\d{1,9})\b/g, (found, line, column) => {
    const place = mapPosition(map, Number(line), Number(column));
    return place ? placeText(place) : found;
  });
}

function outcomeError(outcome: Exclude<WingOutcome, { kind: "unreachable" }>): string | undefined {
  if (outcome.kind === "lost") return outcome.error.message;
  const { result } = outcome;
  if (result.kind === "role") return result.status === "ok" ? undefined : (result.error ?? "the role failed");
  return result.kind === "error" ? result.message : `the host answered with a ${result.kind} result`;
}

/** `counted`: a resource's failure is in the summary already. */
function failHost(run: RoleRun, host: HostState, error: string, counted = false): void {
  host.failed = true;
  if (!counted) host.count("failed");
  run.report({ event: "role", host: host.name, role: run.role.name, status: "failed", error });
}

function hookMessage(run: RoleRun, hook: string, error: unknown): string {
  const place = run.positions.ofError(error);
  return `${hook} failed: ${messageOf(error)}${place ? ` (${placeText(place)})` : ""}`;
}

function roleOrder(run: RoleRun, host: HostState, held: RoleOrder["held"]): Uint8Array {
  const { name, groups } = host.host;
  const vars: Value = hostVariables(host.vars, run.role.vars, run.extraVars);
  const order = { kind: "role", plan: run.role.plan, host: { name, groups }, vars };
  return encodeValue(held ? { ...order, held } : order);
}

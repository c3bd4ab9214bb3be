import type { NodeHandle } from "../../../relay/mesh/types.js";
import { asMopError } from "../../../transport/errors.js";
import { encodeValue } from "../../../transport/wire/value.js";
import type { HostResult } from "../../vocabulary/language.js";
import type { LeafResult, RoleOrder } from "../../vocabulary/order.js";
import { FetchedFiles } from "../files/fetched-files.js";
import { mapPosition } from "../policy/source-positions.js";
import { messageOf, placeText } from "../policy-error.js";
import { secretsIn } from "../secrets/secret-vars.js";
import { hostVariables, type PlainVars } from "../variables.js";
import { comeBack } from "./come-back.js";
import type { HostState } from "./host-state.js";
import { runWing, type WingOutcome } from "./run-wing.js";
import { type RoleRun, sendAhead, type Task } from "./task.js";

/** Asks `shouldContact` and, unless checking, runs `beforeContact`; a hook that throws fails its host, which is left alone then. */
export async function contactable(run: RoleRun, host: HostState): Promise<"yes" | "no" | "failed"> {
  const { entry } = run.role;
  let hook = "shouldContact";
  try {
    if (entry.shouldContact && !(await entry.shouldContact(host.policyHost))) return "no";
    hook = "beforeContact";
    const { signal = new AbortController().signal } = run;
    if (!run.check) await entry.beforeContact?.(host.policyHost, { signal });
    return "yes";
  } catch (error) {
    failHost(run, host, hookMessage(run, hook, error));
    return "failed";
  }
}

/** A host's part of a role on a node: its own, or that of the host that it is delegated to (`at`). */
export async function runHost(run: RoleRun, task: Task, node: NodeHandle): Promise<HostResult> {
  const { host, at } = task;
  const before = { ...host.summary };
  const delegated = host !== at;
  const { fetchTo } = run.role;
  const fetched = new FetchedFiles({ folder: run.folder, host: host.name, fetchTo, check: run.check });
  const follow = (held: RoleOrder["held"], on = node, resume?: RoleOrder["resume"]): Promise<WingOutcome> =>
    runWing(at, on, {
      entry: run.wing,
      ...roleOrder(run, host, {
        ...(fetchTo.length > 0 && held ? { held } : {}),
        ...(run.check ? at.foreseen.before(on.id, delegated) : {}),
        ...(resume ? { resume } : {}),
      }),
      signal: run.signal,
      onEvent(event) {
        if (event.event === "fetch") return fetched.take(event);
        if (event.event === "notice") return run.notice(at.name, event.text);
        const where = { host: host.name, role: run.role.name };
        // In the order of interface.md: event, host, role first.
        if (event.event === "output") {
          const { event: kind, ...rest } = event;
          return run.report({ event: kind, ...where, ...rest });
        }
        host.count(event);
        if (run.check && event.status === "changed") at.foreseen.planned(on.id, delegated);
        const { event: kind, ...rest } = event;
        run.report({ event: kind, ...where, ...rest });
      },
    }).then((outcome) =>
      outcome.kind === "result" && outcome.result.kind === "reboot"
        ? behindReboot(on, outcome.result, held)
        : outcome,
    );
  const behindReboot = async (
    on: NodeHandle,
    { done, boot, waitMs }: Extract<LeafResult, { kind: "reboot" }>,
    held: RoleOrder["held"],
  ): Promise<WingOutcome> => {
    at.rebooting();
    const back = await comeBack({
      host: at.name,
      node: on,
      waitMs,
      signal: run.signal,
      again: () => at.reach(run.mesh, task.become, true),
    });
    if (!("id" in back)) return { kind: "unreachable", loss: back };
    sendAhead(run, [back]);
    return follow(held, back, { done, boot });
  };
  const outcome = await fetched.held().then(
    (held) => follow(held),
    (error: unknown): WingOutcome => ({ kind: "lost", error: asMopError(error) }),
  );
  await fetched.close();
  at.foreseen.looked(node.id, delegated || outcome.kind !== "result");
  const error = conclude(run, host, at, outcome, before.failed);
  const count = (status: "ok" | "changed" | "failed" | "skipped") => host.summary[status] - before[status];
  const lost = outcome.kind === "unreachable" && host === at;
  const result: HostResult = {
    status: lost ? "unreachable" : error === undefined ? "ok" : "failed",
    ok: count("ok"),
    changed: count("changed"),
    failed: count("failed"),
    skipped: count("skipped"),
    ...(error === undefined ? {} : { error }),
  };
  return (await afterContact(run, host, result)) ? result : { ...result, status: "failed" };
}

/** false: the hook threw, which fails its host. */
export async function afterContact(run: RoleRun, host: HostState, result: HostResult): Promise<boolean> {
  // A plan takes no host out of service, so there is none to put back.
  if (run.check) return true;
  try {
    await run.role.entry.afterContact?.(host.policyHost, result);
    return true;
  } catch (thrown) {
    failHost(run, host, hookMessage(run, "afterContact", thrown));
    return false;
  }
}

/** Reports how a host's part ended; its error, if it was one. */
function conclude(
  run: RoleRun,
  host: HostState,
  at: HostState,
  outcome: WingOutcome,
  failedBefore: number,
): string | undefined {
  if (outcome.kind === "unreachable") {
    at.lost(outcome.loss);
    const { message } = outcome.loss.error;
    if (host !== at) failHost(run, host, `it is delegated to ${at.name}, which is unreachable: ${message}`);
    return message;
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
  if (!counted) host.count({ status: "failed" });
  run.report({ event: "role", host: host.name, role: run.role.name, status: "failed", error });
}

function hookMessage(run: RoleRun, hook: string, error: unknown): string {
  const place = run.positions.ofError(error);
  return `${hook} failed: ${messageOf(error)}${place ? ` (${placeText(place)})` : ""}`;
}

function roleOrder(
  run: RoleRun,
  host: HostState,
  more: Pick<RoleOrder, "held" | "follows" | "unsure" | "resume">,
): { readonly order: Uint8Array; readonly secret: boolean } {
  const { name, groups } = host.host;
  const { plan, vars: planVars, secretVars, secrets: planSecrets, restarts } = run.role;
  const vars: PlainVars = hostVariables(host.vars, planVars, run.extraVars);
  const secrets = [...new Set([...planSecrets, ...secretsIn(vars)])];
  const order = {
    kind: "role",
    plan,
    host: { name, groups },
    vars,
    ...(planSecrets.length > 0 ? { secretVars: { ...secretVars } } : {}),
    secrets,
    log: run.log && { ...run.log },
  };
  return { order: encodeValue({ ...order, ...more }), secret: secrets.length > 0 || restarts };
}

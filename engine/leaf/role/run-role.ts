import type { WingHost } from "../../../relay/wing.js";
import type { LeafResult, LogOrder, RoleOrder, RolePlan } from "../../vocabulary/order.js";
import type { RoleContext } from "../../vocabulary/resources.js";
import { Accounts } from "../account/accounts.js";
import type { Events } from "../events.js";
import type { Files } from "../files/files.js";
import { keepable } from "../files/foresight.js";
import { LogFile } from "../log/log-file.js";
import { RunLog } from "../log/run-log.js";
import type { Secrets } from "../secrets.js";
import { roleContext } from "./context.js";
import { fetchPlan, type LoadedRole, loadRole, type RoleParts } from "./load-role.js";
import { messageOf, positionIn } from "./position.js";
import { Queue } from "./queue.js";
import { Reboots, restartSoon } from "./reboots.js";

interface RunParts extends Omit<RoleParts, "reboots"> {
  readonly host: WingHost;
  readonly events: Events;
  readonly secrets: Secrets;
  /** What is done as the run's last word goes out, behind all that was said before it */
  atLast(then: () => void): void;
}

/** Runs one role. Rejects only when the role could not be started or the run was cancelled. */
export async function runRole(order: RoleOrder, parts: RunParts): Promise<LeafResult> {
  const { host, events, secrets } = parts;
  secrets.add(order.secrets);
  const plan = await fetchPlan(order, host);
  const log = order.log && !plan.check ? keepLog(order.log, plan.role, events) : undefined;
  const positions = new WeakMap<object, string>();
  const queue = new Queue();
  const strays = watchStrays();
  const accounts = new Accounts({ ...parts, order });
  const reboots = new Reboots(order.resume);
  let planned: Files | undefined;
  try {
    const role = await loadRole(order, plan, { ...parts, reboots });
    planned = role.tools.files;
    secrets.begin();
    const context = roleContext({
      role: plan.role,
      given: { vars: role.vars, facts: role.facts, host: order.host, check: plan.check },
      types: role.types,
      providers: role.providers,
      tools: role.tools,
      accounts,
      reboots,
      limits: plan,
      queue,
      events,
      positions,
    });
    const request = await Promise.race([
      toItsEnd(role.main, context, queue),
      strays.first,
      reboots.requested,
    ]);
    if (request) {
      // The resource that asked for it never ends, so there is no waiting for it.
      void queue.close(new Error("the host restarts"));
      log?.end("restarting");
      const { done, boot, waitMs, command } = request;
      parts.atLast(() => restartSoon(command));
      return { kind: "reboot", done, boot, waitMs };
    }
    await queue.close(new Error("the role has ended"));
    log?.end("ok");
    return await conclude(plan, events, undefined);
  } catch (thrown) {
    await queue.close(new Error("the role has ended"));
    log?.end(host.signal.aborted ? "interrupted" : "failed");
    if (host.signal.aborted) throw thrown;
    return await conclude(plan, events, roleError(thrown, positions));
  } finally {
    if (plan.check && planned) host.keep(keepable(planned.foresight));
    accounts.close();
    strays.release();
    await log?.close();
  }
}

/** The leaf's own log of this run; what keeps it from being written is told, once. */
function keepLog({ path, run, operator }: LogOrder, role: string, events: Events): RunLog {
  const file = new LogFile(path, (why) => void events.notice(why).catch(() => undefined));
  const log = new RunLog(
    { run, operator, role },
    (line) => file.append(line),
    () => file.close(),
  );
  events.keep(log);
  return log;
}

async function toItsEnd(main: LoadedRole["main"], context: RoleContext, queue: Queue): Promise<void> {
  await main(context);
  await queue.drain();
  // Node tells of rejections that nobody waits for after the microtasks.
  await new Promise(setImmediate);
}

async function conclude(plan: RolePlan, events: Events, error: string | undefined): Promise<LeafResult> {
  const status = error === undefined ? "ok" : "failed";
  await events.role(plan.role, status, error);
  return { kind: "role", status, error: error ?? null };
}

/** The message, and where in the role it happened. */
function roleError(thrown: unknown, positions: WeakMap<object, string>): string {
  const isObject = typeof thrown === "object" && thrown !== null;
  const at = isObject
    ? (positions.get(thrown) ?? positionIn((thrown as { stack?: string }).stack))
    : undefined;
  return `${messageOf(thrown)}${at === undefined ? "" : ` (${at})`}`;
}

/**
 * Errors of the role's own promises and timers that nobody waits for fail it too; Node would end the whole thread,
 * and the operator would not hear why.
 */
function watchStrays(): { readonly first: Promise<never>; release(): void } {
  let fail: (error: unknown) => void = () => undefined;
  const first = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  first.catch(() => undefined);
  const onStray = (error: unknown): void => fail(error);
  process.on("unhandledRejection", onStray);
  process.on("uncaughtException", onStray);
  return {
    first,
    release() {
      process.off("unhandledRejection", onStray);
      process.off("uncaughtException", onStray);
    },
  };
}

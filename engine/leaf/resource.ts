import { performance } from "node:perf_hooks";
import type { ResourceEvent } from "../vocabulary/events.js";
import type { CommonOptions, Result } from "../vocabulary/resources.js";
import { causeOf, Refusal, ResourceError } from "./errors.js";
import { checkOptions } from "./options.js";
import { withDeadline } from "./process/deadline.js";
import type { Plan, ResourceType, TypeContext } from "./type.js";

/** A ResourceEvent but for what the caller knows. */
export type ResourceReport = Omit<ResourceEvent, "event" | "host" | "role">;

export interface Extras {
  /** Called exactly once, before the result is given or the error thrown */
  report(report: ResourceReport): void | Promise<void>;
}

/**
 * One resource from its options to its result: checks the options, plans, then foresees (under --check) or applies.
 * `context.signal` is the run's; the type gets one that its timeout aborts too. Tags are the caller's business.
 * Throws a ResourceError when it failed and the failure isn't ignored, and nothing else.
 */
export async function runResource<O extends CommonOptions<R>, R extends Result = Result>(
  type: ResourceType<O, R>,
  context: TypeContext,
  name: string,
  options: O | undefined,
  extras: Extras,
): Promise<R> {
  const start = performance.now();
  const given = (options ?? {}) as O;
  const result = await outcome(type, context, name, given);
  const ignored = result.failed && given.ignoreErrors === true;
  await extras.report({
    type: type.name,
    name: String(name),
    status: statusOf(result),
    changes: result.changes,
    ...(result.diff === undefined ? {} : { diff: result.diff }),
    ...(result.error === undefined ? {} : { error: result.error }),
    ...(ignored ? { ignored } : {}),
    ms: Math.round(performance.now() - start),
  });
  if (result.failed && !ignored) throw new ResourceError(type.name, String(name), result);
  return result;
}

/** The result of a resource that was left out, by its tags. */
export function skippedResult<O extends CommonOptions<R>, R extends Result>(type: ResourceType<O, R>): R {
  return finish(type, { changed: false, failed: false, skipped: true, changes: [] });
}

function statusOf({ failed, skipped, changed }: Result): ResourceReport["status"] {
  return failed ? "failed" : skipped ? "skipped" : changed ? "changed" : "ok";
}

async function outcome<O extends CommonOptions<R>, R extends Result>(
  type: ResourceType<O, R>,
  context: TypeContext,
  name: string,
  options: O,
): Promise<R> {
  let plan: Plan<R> | undefined;
  try {
    if (typeof name !== "string" || name === "" || name.includes("\0"))
      throw new Refusal("its name must be a string that is not empty");
    checkOptions(options, type.options);
    return await withDeadline(context.signal, options.timeout, async (signal) => {
      plan = await type.plan({ ...context, signal }, name, options);
      return context.check && !plan.readOnly
        ? foresee(type, plan, options)
        : await carryOut(type, plan, options);
    });
  } catch (error) {
    const diff = plan?.diff ? { diff: plan.diff } : {};
    const base = {
      changed: false,
      failed: true,
      skipped: false,
      changes: [],
      ...diff,
      error: causeOf(error),
    };
    return finish(type, base, plan);
  }
}

/** What applying the plan would give. */
function foresee<O extends CommonOptions<R>, R extends Result>(
  type: ResourceType<O, R>,
  plan: Plan<R>,
  options: O,
): R {
  const changes = plan.actions;
  if (changes.length > 0) plan.foresee?.();
  const unknown = type.blank !== undefined;
  if (unknown && options.changedWhen === false) return skippedResult(type);
  const base = finish(type, { ...blankResult(plan), changed: changes.length > 0, changes }, plan);
  return unknown ? base : decide(type, base, options);
}

async function carryOut<O extends CommonOptions<R>, R extends Result>(
  type: ResourceType<O, R>,
  plan: Plan<R>,
  options: O,
): Promise<R> {
  const applied = plan.actions.length > 0 || plan.readOnly ? await plan.apply() : [];
  if (applied.join() !== plan.actions.join())
    throw new Refusal(
      `it was planned to do ${listed(plan.actions)}, but what was done is ${listed(applied)}`,
    );
  const error = plan.failure?.();
  const base = { ...blankResult(plan), changed: applied.length > 0, changes: applied };
  return decide(
    type,
    finish(type, error === undefined ? base : { ...base, failed: true, error }, plan),
    options,
  );
}

const listed = (names: readonly string[]): string => (names.length === 0 ? "nothing" : names.join(", "));

function blankResult(plan: Plan<never> | Plan): Result {
  const diff = plan.diff === undefined || plan.diff === "" ? {} : { diff: plan.diff };
  return { changed: false, failed: false, skipped: false, changes: [], ...diff };
}

/** changedWhen and failedWhen over a result. */
function decide<O extends CommonOptions<R>, R extends Result>(
  type: ResourceType<O, R>,
  result: R,
  options: O,
): R {
  const changed = decision("changedWhen", options.changedWhen, result) ?? result.changed;
  const counted: R = { ...result, changed, changes: changed ? result.changes : [] };
  const failed = decision("failedWhen", options.failedWhen, counted) ?? counted.failed;
  if (failed === counted.failed) return counted;
  const { error: _, ...rest } = counted;
  return {
    ...rest,
    failed,
    ...(failed ? { error: `"failedWhen" says that the ${type.name} failed` } : {}),
  } as R;
}

function decision<R>(
  name: string,
  rule: boolean | ((result: R) => boolean) | undefined,
  result: R,
): boolean | undefined {
  if (typeof rule !== "function") return rule;
  let given: unknown;
  try {
    given = rule(result);
  } catch (error) {
    throw new Refusal(`its "${name}" threw an error: ${causeOf(error)}`);
  }
  if (typeof given !== "boolean")
    throw new Refusal(`its "${name}" must give true or false, not ${typeof given}`);
  return given;
}

/** With the fields that only this type's results have. */
function finish<O extends CommonOptions<R>, R extends Result>(
  type: ResourceType<O, R>,
  base: Result,
  plan?: Plan<R>,
): R {
  return { ...base, ...(plan?.extra?.() ?? type.blank) } as R;
}

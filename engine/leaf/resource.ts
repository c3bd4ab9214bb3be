import { performance } from "node:perf_hooks";
import type { ResourceEvent } from "../vocabulary/events.js";
import type { CommonOptions, ProviderOptions, Result } from "../vocabulary/resources.js";
import { causeOf, Refusal, ResourceError } from "./errors.js";
import { checkOptions, PROVIDER_RULES } from "./options.js";
import { pause, withDeadline } from "./process/deadline.js";
import { chooseProvider } from "./provider.js";
import type { Plan, Provider, ResourceType, RoleTools } from "./type.js";
import { typeContext } from "./type-context.js";

/** A ResourceEvent but for what the caller knows. */
export type ResourceReport = Omit<ResourceEvent, "event" | "host" | "role">;

/** Tries after the first where `until` is given without `retries`. */
const UNTIL_RETRIES = 3;
/** Seconds between two tries. */
const DELAY = 1;

// biome-ignore lint/suspicious/noExplicitAny: a type's options are checked by its own rules
type AnyType<R extends Result> = ResourceType<any, R, any>;

/** A list is for types with the option `names`, which it becomes. */
export type ResourceName = string | readonly string[];

export interface Extras {
  /** What the role brings for this type, before the type's own */
  readonly providers?: readonly Provider[];
  /** Called exactly once, before the result is given or the error thrown */
  report(report: ResourceReport): void | Promise<void>;
}

/**
 * One resource from its options to its result: checks the options, plans, then foresees (under --check) or applies;
 * tries again where it shall. `tools.signal` is the run's; the type gets one that its timeout aborts too. Tags are the
 * caller's business. Throws a ResourceError when it failed and the failure isn't ignored, and nothing else.
 */
export async function runResource<R extends Result = Result>(
  type: AnyType<R>,
  tools: RoleTools,
  name: ResourceName,
  options: CommonOptions<R> | undefined,
  extras: Extras,
): Promise<R> {
  const start = performance.now();
  const severally = typeof name !== "string" && "names" in type.options;
  const given = severally ? { ...options, names: name } : (options ?? {});
  const named = severally ? nameOf(name) : (name as string);
  const result = await severalTries(type, tools, named, given, extras.providers ?? []);
  const ignored = result.failed && given.ignoreErrors === true;
  await extras.report({
    type: type.name,
    name: nameOf(name),
    status: statusOf(result),
    changes: result.changes,
    ...(result.diff === undefined ? {} : { diff: result.diff }),
    ...(result.error === undefined ? {} : { error: result.error }),
    ...(ignored ? { ignored } : {}),
    ms: Math.round(performance.now() - start),
  });
  if (result.failed && !ignored) throw new ResourceError(type.name, nameOf(name), result);
  return result;
}

/** What a resource is called in reports: a list by its members. */
export const nameOf = (name: ResourceName): string => (Array.isArray(name) ? name.join(", ") : String(name));

/** The result of a resource that was left out, by its tags. */
export function skippedResult<R extends Result>(type: AnyType<R>): R {
  return finish(type, { changed: false, failed: false, skipped: true, changes: [] });
}

function statusOf({ failed, skipped, changed }: Result): ResourceReport["status"] {
  return failed ? "failed" : skipped ? "skipped" : changed ? "changed" : "ok";
}

async function severalTries<R extends Result>(
  type: AnyType<R>,
  tools: RoleTools,
  name: string,
  options: CommonOptions<R>,
  providers: readonly Provider[],
): Promise<R> {
  let refused: string | undefined;
  try {
    if (typeof name !== "string" || name === "" || name.includes("\0"))
      throw new Refusal("its name must be a string that is not empty");
    checkOptions(options, { ...type.options, ...(type.providers ? PROVIDER_RULES : {}) });
  } catch (error) {
    refused = causeOf(error);
  }
  if (refused !== undefined) return finish(type, failure(refused));
  const { until, delay = DELAY } = options;
  let retries = options.retries ?? (until ? UNTIL_RETRIES : 0);
  for (let changed = false; ; retries--) {
    const { result, asked } = await oneTry(type, tools, name, options, providers);
    const last = asked ? satisfied(type, tools, options, result) : result;
    changed ||= result.changed;
    // What an earlier try changed stays changed, though the last one found nothing more to do.
    if (!last.failed || retries <= 0 || tools.check || tools.signal.aborted)
      return last.failed || !changed ? last : { ...last, changed };
    await pause(delay * 1000, tools.signal);
  }
}

/** Asks `until` about a result that did not fail. */
function satisfied<R extends Result>(
  type: AnyType<R>,
  tools: RoleTools,
  options: CommonOptions<R>,
  result: R,
): R {
  if (!options.until || result.failed || (tools.check && type.blank !== undefined)) return result;
  try {
    if (decision("until", options.until, result) || tools.check) return result;
    return { ...result, failed: true, error: `"until" was not satisfied by the ${type.name}` };
  } catch (error) {
    return { ...result, failed: true, error: causeOf(error) };
  }
}

async function oneTry<R extends Result>(
  type: AnyType<R>,
  tools: RoleTools,
  name: string,
  options: CommonOptions<R>,
  providers: readonly Provider[],
): Promise<{ readonly result: R /** Its rules have something to say of it */; readonly asked: boolean }> {
  let plan: Plan<R> | undefined;
  try {
    const provider = type.providers
      ? chooseProvider([...providers, ...type.providers], (options as ProviderOptions).provider, tools.facts)
      : undefined;
    return await withDeadline(tools.signal, options.timeout, async (signal) => {
      plan = await type.plan(typeContext(tools, signal), name, options, provider);
      if (tools.check && !plan.readOnly)
        return { result: foresee(type, tools, plan, options), asked: type.blank === undefined };
      const asked = type.blank === undefined || plan.actions.length > 0 || plan.readOnly === true;
      return { result: await carryOut(type, plan, options, asked), asked };
    });
  } catch (error) {
    const diff = plan?.diff ? { diff: plan.diff } : {};
    return { result: finish(type, { ...failure(causeOf(error)), ...diff }, plan), asked: false };
  }
}

const failure = (error: string) => ({ changed: false, failed: true, skipped: false, changes: [], error });

/** What applying the plan would give. */
function foresee<R extends Result>(
  type: AnyType<R>,
  tools: RoleTools,
  plan: Plan<R>,
  options: CommonOptions<R>,
): R {
  const changes = plan.actions;
  if (changes.length > 0) {
    if (plan.foresee) plan.foresee();
    else tools.files.doubt();
  }
  const unknown = type.blank !== undefined;
  if (unknown && options.changedWhen === false) return skippedResult(type);
  const base = finish(type, { ...blankResult(plan), changed: changes.length > 0, changes }, plan);
  return unknown ? base : decide(type, base, options);
}

async function carryOut<R extends Result>(
  type: AnyType<R>,
  plan: Plan<R>,
  options: CommonOptions<R>,
  asked: boolean,
): Promise<R> {
  const applied = plan.actions.length > 0 || plan.readOnly ? await plan.apply() : [];
  if (applied.join() !== plan.actions.join())
    throw new Refusal(
      `it was planned to do ${listed(plan.actions)}, but what was done is ${listed(applied)}`,
    );
  const error = plan.failure?.();
  const base = { ...blankResult(plan), changed: applied.length > 0, changes: applied };
  const result = finish(type, error === undefined ? base : { ...base, failed: true, error }, plan);
  return asked ? decide(type, result, options) : result;
}

const listed = (names: readonly string[]): string => (names.length === 0 ? "nothing" : names.join(", "));

function blankResult(plan: Plan<never> | Plan): Result {
  const diff = plan.diff === undefined || plan.diff === "" ? {} : { diff: plan.diff };
  return { changed: false, failed: false, skipped: false, changes: [], ...diff };
}

/** changedWhen and failedWhen over a result. */
function decide<R extends Result>(type: AnyType<R>, result: R, options: CommonOptions<R>): R {
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
function finish<R extends Result>(type: AnyType<R>, base: Result, plan?: Plan<R>): R {
  return { ...base, ...(plan?.extra?.() ?? type.blank) } as R;
}

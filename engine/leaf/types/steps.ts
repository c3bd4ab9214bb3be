import path from "node:path";
import { Refusal } from "../errors.js";
import { freshAttributes } from "../files/attributes.js";
import { contentDiff } from "../files/diff.js";
import type { Plan, TypeContext } from "../type.js";
import { desiredBytes, foreseen } from "./content.js";
import { directory } from "./directory.js";
import { file } from "./file.js";

/** A part of what a resource does: a file to write, a command to run. */
export interface Step {
  /** What it is called among the changes: "file", "live" */
  readonly action: string;
  readonly diff?: string;
  apply(): Promise<void>;
  /** As a plan's; without it the effects are not known */
  foresee?(): void;
}

/** For steps that no other resource of the role can see. */
export const UNSEEN = (): void => undefined;

/** Several steps as one plan, in their order; an action of several is named once. */
export function stepsPlan(context: TypeContext, steps: readonly (Step | undefined)[]): Plan {
  const real = steps.filter((step): step is Step => step !== undefined);
  const actions = [...new Set(real.map((step) => step.action))];
  const diff = real.map((step) => step.diff ?? "").join("");
  return {
    actions,
    ...(context.diff && diff !== "" ? { diff } : {}),
    foresee() {
      for (const step of real) {
        if (step.foresee) step.foresee();
        else context.files.doubt();
      }
    },
    async apply() {
      for (const step of real) await step.apply();
      return actions;
    },
  };
}

/**
 * A file of the system as a step: with this content, or absent where it is undefined. Nothing when it is so already.
 * A new one is readable to all, as system programs need it; one that stands there keeps its attributes, unless it is
 * `own`: made by this type alone.
 */
export async function fileStep(
  context: TypeContext,
  action: string,
  at: string,
  content: string | Uint8Array | undefined,
  { own = false } = {},
): Promise<Step | undefined> {
  const folder = path.dirname(at);
  const kept = !own && (await context.files.resolve(at, true)).entry !== undefined;
  const options = content === undefined ? { absent: true } : { content, ...(kept ? {} : { mode: 0o644 }) };
  // Lean systems lack even the usual folders.
  if (content !== undefined && !(await context.files.resolve(folder, true)).entry) {
    const made = await directory.plan(context, folder, { mode: 0o755 }, undefined);
    const bytes = Buffer.from(content);
    return {
      action,
      diff: `${made.diff ?? ""}${contentDiff(at, undefined, bytes)}`,
      foresee() {
        made.foresee?.();
        const { uid, gid } = freshAttributes("file", false, undefined);
        context.files.foresee(at, foreseen(desiredBytes(bytes), { mode: 0o644, uid, gid }));
      },
      async apply() {
        await carryOut(made);
        await carryOut(await file.plan(context, at, options, undefined));
      },
    };
  }
  const plan = await file.plan(context, at, options, undefined);
  if (plan.actions.length === 0) return undefined;
  return {
    action,
    ...(plan.diff === undefined ? {} : { diff: plan.diff }),
    foresee: () => plan.foresee?.(),
    apply: () => carryOut(plan),
  };
}

async function carryOut(plan: Plan): Promise<void> {
  const done = await plan.apply();
  if (done.join() !== plan.actions.join())
    throw new Refusal(`of ${plan.actions.join(", ")} was done ${done.join(", ") || "nothing"}`);
}

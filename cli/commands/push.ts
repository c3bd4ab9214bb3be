import type { Command } from "commander";
import { readExtraVars } from "../../engine/controller/extra-vars.js";
import type { RunOptions } from "../../engine/controller/run/options.js";
import { prepareRun } from "../../engine/controller/run/prepare.js";
import { executeRun } from "../../engine/controller/run/run-policy.js";
import { targetOptions, withMesh } from "../connect.js";
import { withDefaults } from "../defaults/with-defaults.js";
import {
  addBecomeOptions,
  addConnectionOptions,
  addOutputOptions,
  addRunOptions,
  addTimeout,
  addVerifyOption,
  type RunFlags,
} from "../options.js";
import { createView, type View } from "../output/view.js";
import type { Outcome } from "../program.js";

const DEFAULT_POLICY = "policy.ts";

export function addPush(program: Command, outcome: Outcome): void {
  const command = program
    .command("push")
    .description("apply the policy over the mesh")
    .argument("[policy]", "the policy's file or its folder", DEFAULT_POLICY);
  addVerifyOption(addRunOptions(addConnectionOptions(command))).action(
    async (policy: string, flags: RunFlags) => {
      outcome.status = await push(policy, flags, createView(flags, outcome.print), false);
    },
  );
}

export function addLocal(program: Command, outcome: Outcome): void {
  const command = program
    .command("local")
    .description("apply the policy on this machine; no inventory needed")
    .argument("[policy]", "the policy's file or its folder", DEFAULT_POLICY);
  addVerifyOption(addRunOptions(addBecomeOptions(addTimeout(addOutputOptions(command))))).action(
    async (policy: string, flags: RunFlags) => {
      const view = createView(flags, outcome.print);
      outcome.status = await push(policy, { ...flags, pace: "plain" }, view, true);
    },
  );
}

async function push(policy: string, given: RunFlags, view: View, local: boolean): Promise<number> {
  const flags = await withDefaults(given, view.note);
  return withMesh(flags, view, async ({ mesh, stop, run: id }) => {
    const options = await runOptions(policy, flags, view, stop.signal);
    const log = flags.log === false ? false : { ...flags.log, run: id };
    const run = await prepareRun({ ...options, verify: flags.verify ?? false, log, local });
    if (run.hosts.size === 0)
      view.note("no host takes part: the roles' groups and tags and the limits leave none");
    view.expect(run.hosts.size);
    return executeRun(run, mesh, view.report);
  });
}

/** What the command line says of a run. */
export async function runOptions(
  policy: string,
  flags: RunFlags,
  view: View,
  signal?: AbortSignal,
): Promise<RunOptions> {
  return {
    ...(await targetOptions(flags, view, signal)),
    policy,
    check: flags.check ?? false,
    diff: flags.diff ?? false,
    extraVars: await readExtraVars(flags.extraVars ?? []),
    tags: flags.tags,
    skipTags: flags.skipTags,
    typeCheck: flags.typeCheck,
  };
}

import type { Mesh } from "../../../relay/mesh/types.js";
import { encodeValue } from "../../../transport/wire/value.js";
import { PolicyError } from "../policy-error.js";
import { withWays } from "../route/way-mesh.js";
import { maskReport } from "../secrets/mask-report.js";
import { holdsSecret } from "../secrets/secret-vars.js";
import type { HostState } from "./host-state.js";
import type { Report, RunResult } from "./options.js";
import type { HostOptions } from "./prepare-hosts.js";
import { reachTargets } from "./reach-targets.js";
import { runWing, type WingOutcome } from "./run-wing.js";
import { summarize } from "./summarize.js";

export interface CommandOptions extends HostOptions {
  /** Run by the user's shell on each host, as `ssh host command` would */
  readonly command: string;
  /** Until the command is ended on a host; default: none */
  readonly timeoutMs?: number | undefined;
}

/** The name under which a command is reported, since it is no role of a policy. */
export const COMMAND_ROLE = "run";

/**
 * One command on every host at once. Its output is reported as it comes; a status of 0 counts as ok, anything else as
 * failed, and each host ends with a role event of the name `run`. Throws PolicyError before anything was contacted.
 */
export async function runCommand(options: CommandOptions, over: Mesh, given: Report): Promise<RunResult> {
  const mesh = withWays(over);
  const started = performance.now();
  const report = maskReport(given);
  const command = options.command.trim();
  if (command === "") throw new PolicyError("there is no command; write it behind --, as in `run -- uptime`");
  if (command.includes("\0")) throw new PolicyError("the command has a NUL character in it");
  const { states, nodes, entry } = await reachTargets(options, mesh, report);
  const order = encodeValue({ kind: "command", command, timeoutMs: options.timeoutMs ?? null });
  const secret = holdsSecret(command);
  await Promise.all(
    states.map(async (state, index) => {
      const outcome = await runWing(state, nodes[index]!, {
        entry,
        order,
        secret,
        signal: options.signal,
        onEvent(event) {
          if (event.event !== "output") return;
          const { event: kind, ...rest } = event;
          report({ event: kind, host: state.name, ...rest });
        },
      });
      conclude(state, outcome, report);
    }),
  );
  return summarize(states, mesh, report, started, options);
}

function conclude(state: HostState, outcome: WingOutcome, report: Report): void {
  if (outcome.kind === "unreachable") {
    state.lost(outcome.loss);
    return;
  }
  const error = commandError(outcome);
  state.failed = error !== undefined;
  state.count({ status: error === undefined ? "ok" : "failed" });
  const event = { event: "role", host: state.name, role: COMMAND_ROLE } as const;
  report(error === undefined ? { ...event, status: "ok" } : { ...event, status: "failed", error });
}

/** Why a command failed; undefined where it did not. */
export function commandError(outcome: Exclude<WingOutcome, { kind: "unreachable" }>): string | undefined {
  if (outcome.kind === "lost") return outcome.error.message;
  const { result } = outcome;
  if (result.kind === "error") return result.message;
  if (result.kind !== "command") return `the host answered with a ${result.kind} result`;
  if (result.signal !== null) return `the command was ended by ${result.signal}`;
  return result.rc === 0 ? undefined : `the command ended with status ${result.rc}`;
}

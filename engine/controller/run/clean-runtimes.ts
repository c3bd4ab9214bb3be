import { lacksNode } from "../../../relay/mesh/left.js";
import type { Mesh } from "../../../relay/mesh/types.js";
import { encodeValue } from "../../../transport/wire/value.js";
import type { RunEvent } from "../../vocabulary/events.js";
import { withWays } from "../route/way-mesh.js";
import { maskReport } from "../secrets/mask-report.js";
import type { HostState } from "./host-state.js";
import type { RunResult } from "./options.js";
import type { HostOptions } from "./prepare-hosts.js";
import { reachTargets } from "./reach-targets.js";
import { commandError } from "./run-command.js";
import { runWing } from "./run-wing.js";
import { summarize } from "./summarize.js";

/** What was removed from a host's cache: hashes of runtimes. */
export interface CleanEvent {
  readonly event: "runtime";
  readonly host: string;
  readonly removed: readonly string[];
}

/** The folder of relay/boot/runtime-finder.ts; whatever shell the account has, sh reads it. */
const COMMAND =
  "exec sh -c 'c=$XDG_CACHE_HOME; case $c in /*) ;; *) c=$HOME/.cache; esac; " +
  'c=$c/mop/runtime; cd "$c" 2>/dev/null || exit 0; ls; cd /; rm -rf "$c"\'';
/** More of a host's words than any list of runtimes has */
const MOST = 64 * 1024;

/**
 * Removes the runtimes that were brought to hosts. A host without Node in which none is kept has nothing to be removed, and
 * counts as ok. Throws PolicyError before anything was contacted.
 */
export async function cleanRuntimes(
  options: HostOptions,
  over: Mesh,
  given: (event: RunEvent | CleanEvent) => void,
): Promise<RunResult> {
  const mesh = withWays(over);
  const started = performance.now();
  const report = maskReport<CleanEvent>(given);
  const { states, nodes, entry } = await reachTargets(options, mesh, report);
  const order = encodeValue({ kind: "command", command: COMMAND, timeoutMs: null });
  const clean = async (state: HostState, index: number): Promise<void> => {
    let words = "";
    const outcome = await runWing(state, nodes[index]!, {
      entry,
      order,
      signal: options.signal,
      onEvent(event) {
        if (event.event === "output" && event.stream === "stdout")
          words = (words + event.text).slice(0, MOST);
      },
    });
    const done = () => {
      state.count({ status: "ok" });
      report({ event: "runtime", host: state.name, removed: words.match(/\b[0-9a-f]{64}\b/g) ?? [] });
    };
    if (outcome.kind === "unreachable") {
      const { at, error } = outcome.loss;
      if (lacksNode(error) && at === state.name) done();
      else state.lost(outcome.loss);
      return;
    }
    const error = commandError(outcome);
    if (error === undefined) done();
    else {
      state.failed = true;
      state.count({ status: "failed" });
      report({ event: "role", host: state.name, role: "runtime", status: "failed", error });
    }
  };
  await Promise.all(states.map(clean));
  return summarize(states, mesh, report, started, options);
}

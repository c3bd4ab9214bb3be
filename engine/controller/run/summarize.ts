import type { Hop, Mesh } from "../../../relay/mesh/types.js";
import type { HostSummary, SummaryEvent } from "../../vocabulary/events.js";
import type { HostState } from "./host-state.js";
import type { Report, RunResult, TargetOptions } from "./options.js";

/** The run's last event, and what its caller gets. Links that can't tell any more are left out. */
export async function summarize(
  states: readonly HostState[],
  mesh: Mesh,
  report: Report,
  started: number,
  { signal, closes = false }: Pick<TargetOptions, "signal" | "closes">,
): Promise<RunResult> {
  const hosts: Record<string, HostSummary> = {};
  for (const state of states) hosts[state.name] = { ...state.summary };
  const asked = mesh.links().catch(() => []);
  // Right behind the question, which is answered before the nodes end: one round trip for both
  if (closes) mesh.close().catch(() => {});
  const links = await asked;
  const unchecked = uncheckedOf(states);
  const summary: SummaryEvent = {
    event: "summary",
    hosts,
    links: links.map(({ from, to, sent, received }) => ({ from, to, sent, received })),
    ...(unchecked.length > 0 ? { unchecked } : {}),
    ms: Math.round(performance.now() - started),
  };
  report(summary);
  return {
    summary,
    hosts,
    failed: states.filter((state) => state.failed).map((state) => state.name),
    unreachable: states.filter((state) => state.summary.unreachable).map((state) => state.name),
    interrupted: signal?.aborted ?? false,
  };
}

/** Whoever answers there is taken for the host. */
export const isUnchecked = ({ kind, target }: Hop): boolean => kind !== "local" && target.hostKeys === "off";

/** Of the ways of all hosts that were contacted, those whose keys nobody looked at. */
function uncheckedOf(states: readonly HostState[]): string[] {
  const hops = states
    .filter(({ contacted }) => contacted)
    .flatMap(({ ways }) => ways.flatMap((way) => way.hops));
  const loose = hops.filter(isUnchecked);
  return [...new Set(loose.map(({ target }) => target.name))];
}

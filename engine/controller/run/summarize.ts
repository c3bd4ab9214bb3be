import type { Mesh } from "../../../relay/mesh/types.js";
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
  const summary: SummaryEvent = {
    event: "summary",
    hosts,
    links: links.map(({ from, to, sent, received }) => ({ from, to, sent, received })),
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

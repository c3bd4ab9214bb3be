import type { Mesh, NodeHandle } from "../../../relay/mesh/types.js";
import type { RunEvent } from "../../vocabulary/events.js";
import { namesOf } from "../route/next-way.js";
import { dialledDirectly } from "../route/routes.js";
import { usualWay, type Way } from "../route/ways.js";
import { KnownSecrets } from "../secrets/known-secrets.js";
import { maskReport } from "../secrets/mask-report.js";
import { HostState, type Loss, lossOf } from "./host-state.js";
import type { RunResult } from "./options.js";
import { interrupted, measured, type PingEvent } from "./ping-hosts.js";
import { type HostOptions, prepareTargets } from "./prepare-hosts.js";
import { summarize } from "./summarize.js";

/** Whether one of the routes to a host is possible from here. */
export interface RouteEvent {
  readonly event: "route";
  readonly host: string;
  readonly route: readonly string[];
  /** A run would take it; else it was tried to see whether hops may be left out */
  readonly planned: boolean;
  readonly possible: boolean;
  /** Where it is possible: round trip of each hop's link in ms */
  readonly hops?: PingEvent["hops"];
  /** Where it is not: the hop where it ended, and why */
  readonly at?: string;
  readonly reason?: string;
}

/**
 * Tries every way to every host, and those that come about when hops are left out from the front. A host that some
 * planned way leads to counts as ok. Throws PolicyError before anything was contacted.
 */
export async function pingRoutes(
  options: HostOptions,
  mesh: Mesh,
  given: (event: RunEvent | RouteEvent) => void,
): Promise<RunResult> {
  const started = performance.now();
  const report = maskReport<RouteEvent>(given);
  const known = new KnownSecrets();
  const { hosts } = await prepareTargets(options);
  const stop = interrupted(options.signal);
  const states = hosts.map((host) => new HostState(host, report));

  const tryOne = async (state: HostState, way: Way, planned: boolean): Promise<Loss | undefined> => {
    const event = { event: "route", host: state.name, route: namesOf(way), planned } as const;
    state.contacted = true;
    try {
      const node: NodeHandle = mesh.reach(way.hops);
      node.dispatched.catch(() => undefined);
      const hops = await measured(mesh, node, node.up, stop.promise);
      report({ ...event, possible: true, hops });
      return undefined;
    } catch (error) {
      const loss = lossOf(error, state.name);
      report({ ...event, possible: false, at: loss.at, reason: known.mask(loss.error.message) });
      return loss;
    }
  };
  const tryAll = async (state: HostState): Promise<void> => {
    const planned = await Promise.all(state.ways.map((way) => tryOne(state, way, true)));
    if (planned.includes(undefined)) state.count({ status: "ok" });
    else state.lost(planned[0]!);
    // Afterwards, so that what is planned is not kept waiting
    await Promise.all(shorterWays(state.ways).map((way) => tryOne(state, way, false)));
  };
  try {
    await Promise.all(states.map(tryAll));
  } finally {
    stop.release();
  }
  return summarize(states, mesh, report, started, options);
}

/** The usual way without its first hop, without its first two..., as far as none of them is planned anyway. */
export function shorterWays(ways: readonly [Way, ...Way[]]): Way[] {
  const planned = new Set(ways.map((way) => JSON.stringify(namesOf(way))));
  const { hops } = usualWay(ways);
  return hops.slice(1).flatMap((first, index) => {
    const way = {
      hops: [dialledDirectly(first), ...hops.slice(index + 2)],
      skipped: hops.slice(0, index + 1).map((hop) => hop.target.name),
    };
    return planned.has(JSON.stringify(namesOf(way))) ? [] : [way];
  });
}

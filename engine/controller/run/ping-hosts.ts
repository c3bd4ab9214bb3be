import { setMaxListeners } from "node:events";
import type { Mesh, NodeHandle } from "../../../relay/mesh/types.js";
import { MopError } from "../../../transport/errors.js";
import type { RunEvent } from "../../vocabulary/events.js";
import { withWays } from "../route/way-mesh.js";
import { maskReport } from "../secrets/mask-report.js";
import { HostState, lossOf } from "./host-state.js";
import type { RunResult } from "./options.js";
import { type HostOptions, prepareTargets } from "./prepare-hosts.js";
import { summarize } from "./summarize.js";

/** A host answered; `hops` are those of its route, the first one first. */
export interface PingEvent {
  readonly event: "ping";
  readonly host: string;
  readonly route: readonly string[];
  /** Round trip of each hop's link in ms */
  readonly hops: readonly { readonly from: string; readonly to: string; readonly ms: number }[];
}

/**
 * Reaches every host and measures each hop. A host that answered counts as ok; one that can't be reached is reported
 * with the hop where it ended. Throws PolicyError before anything was contacted.
 */
export async function pingHosts(
  options: HostOptions,
  over: Mesh,
  given: (event: RunEvent | PingEvent) => void,
): Promise<RunResult & { readonly pings: readonly PingEvent[] }> {
  const mesh = withWays(over);
  const started = performance.now();
  const report = maskReport<PingEvent>(given);
  const { hosts } = await prepareTargets(options);
  const pings: PingEvent[] = [];
  const stop = interrupted(options.signal);
  const states = hosts.map((host) => new HostState(host, report));
  const ping = async (state: HostState): Promise<void> => {
    try {
      const node = state.reach(mesh);
      const hops = await measured(mesh, node, state.connected(node), stop.promise);
      const event: PingEvent = { event: "ping", host: state.name, route: node.route, hops };
      state.count({ status: "ok" });
      pings.push(event);
      report(event);
    } catch (error) {
      state.lost(lossOf(error, state.name));
    }
  };
  try {
    await Promise.all(states.map(ping));
  } finally {
    stop.release();
  }
  return { ...(await summarize(states, mesh, report, started, options)), pings };
}

/** Round trips of a node's hops once it is `up`, as they are told: to the microsecond. */
export async function measured(
  mesh: Mesh,
  node: NodeHandle,
  up: Promise<unknown>,
  stop: Promise<never>,
): Promise<PingEvent["hops"]> {
  await Promise.race([up, stop]);
  const hops = await Promise.race([mesh.ping(node), stop]);
  return hops.map((hop) => ({ ...hop, ms: Math.round(hop.ms * 1000) / 1000 }));
}

/** Rejects when the signal is aborted. */
export function interrupted(signal: AbortSignal | undefined) {
  // Each host listens to the one signal; Node warns of more than ten.
  if (signal) setMaxListeners(0, signal);
  let onAbort = () => {};
  const promise = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      const { reason } = signal ?? {};
      reject(reason instanceof MopError ? reason : new MopError("CANCELLED", "The run was interrupted"));
    };
  });
  promise.catch(() => undefined);
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  return { promise, release: () => signal?.removeEventListener("abort", onAbort) };
}

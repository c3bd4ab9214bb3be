import type { NodeHandle } from "../../../relay/mesh/types.js";
import { mopPackage } from "../policy/mop-package.js";
import type { WayMesh } from "../route/way-mesh.js";
import { HostState } from "./host-state.js";
import type { Report } from "./options.js";
import { type HostOptions, prepareTargets } from "./prepare-hosts.js";
import { becomesOf } from "./targets.js";
import { readWing } from "./wing-files.js";

/** Hosts that a command is for, and in the same order their nodes. */
export interface ReachedTargets {
  readonly states: readonly HostState[];
  readonly nodes: readonly NodeHandle[];
  /** Hash of the wing that runs it there */
  readonly entry: string;
}

/**
 * The nodes of all hosts within the limits, on their way up, as the users that the options ask for; the wing is sent ahead
 * of any order. Throws PolicyError before anything was contacted.
 */
export async function reachTargets(
  options: HostOptions,
  mesh: WayMesh,
  report: Report,
): Promise<ReachedTargets> {
  const [{ hosts, targets }, { entry }] = await Promise.all([
    prepareTargets(options),
    readWing(options.mop ?? mopPackage()),
  ]);
  const states = hosts.map((host) => new HostState(host, report));
  const becomes = becomesOf(
    hosts.map(({ host }) => host),
    targets,
    options,
  );
  const nodes = states.map((state) => state.reach(mesh, becomes.get(state.name)));
  mesh.offer([entry], nodes);
  mesh.push([entry.hash], nodes);
  return { states, nodes, entry: entry.hash };
}

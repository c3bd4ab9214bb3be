import type { Become } from "../../../relay/boot/become.js";
import type { NodeHandle } from "../../../relay/mesh/types.js";
import type { LogOrder } from "../../vocabulary/order.js";
import type { SourcePositions } from "../policy/source-positions.js";
import type { WayMesh } from "../route/way-mesh.js";
import type { PlainVars } from "../variables.js";
import type { HostState } from "./host-state.js";
import type { Report } from "./options.js";
import type { PreparedRole } from "./role-plan.js";

/** What all hosts of one role's run share. */
export interface RoleRun {
  readonly role: PreparedRole;
  readonly mesh: WayMesh;
  readonly wing: string;
  readonly extraVars: PlainVars;
  /** The policy's folder */
  readonly folder: string;
  readonly positions: SourcePositions;
  /** Nothing may change, on the hosts or by hooks */
  readonly check: boolean;
  readonly report: Report;
  /** What a host says in passing */
  readonly notice: (host: string, text: string) => void;
  readonly log: LogOrder | null;
  readonly signal?: AbortSignal | undefined;
}

/** A host and the host on whose node its part runs: itself, unless the role delegates it. */
export interface Task {
  readonly host: HostState;
  readonly at: HostState;
  /** Whom that node runs as */
  readonly become?: Become | undefined;
}

/** The node that a task runs on. */
export const reachNode = (run: RoleRun, { at, become }: Task): NodeHandle => at.reach(run.mesh, become);

/** Offers what the role needs to these nodes, and sends what each needs in any case. */
export function sendAhead({ mesh, role }: RoleRun, nodes: readonly (NodeHandle | undefined)[]): void {
  const handles = [...new Set(nodes.filter((node): node is NodeHandle => node !== undefined))];
  if (handles.length === 0) return;
  mesh.offer(role.blobs, handles);
  mesh.push(role.needed, handles);
}

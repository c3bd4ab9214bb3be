import type { NodeId } from "../../../transport/types.js";
import type { RoleOrder } from "../../vocabulary/order.js";

/**
 * What the roles of a check planned on one host. A node remembers what its roles planned; one that works as another
 * user, or started anew, has to be told that there is more than it knows of.
 */
export class Foreseen {
  /** Nodes that looked through a role of this host */
  readonly #looked = new Set<NodeId>();
  /** Nodes on which something was planned; null: by a role that was delegated to this host */
  readonly #planned = new Set<NodeId | null>();

  /** What a role's order says of the roles before it. */
  before(node: NodeId, delegated: boolean): Pick<RoleOrder, "follows" | "unsure"> {
    const follows = !delegated && this.#looked.has(node);
    const unsure = [...this.#planned].some((other) => !follows || other !== node);
    return { ...(follows ? { follows } : {}), ...(unsure ? { unsure } : {}) };
  }

  /** A role went through there. Several may be delegated to one node at once, so it remembers the last only. */
  looked(node: NodeId, delegated: boolean): void {
    if (delegated) this.#looked.delete(node);
    else this.#looked.add(node);
  }

  planned(node: NodeId, delegated: boolean): void {
    this.#planned.add(delegated ? null : node);
  }
}

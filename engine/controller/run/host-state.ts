import type { Become } from "../../../relay/boot/become.js";
import type { NodeHandle } from "../../../relay/mesh/types.js";
import { asMopError, type MopError } from "../../../transport/errors.js";
import type { HostSummary, ResourceEvent } from "../../vocabulary/events.js";
import type { PolicyHost } from "../../vocabulary/language.js";
import type { InventoryHost } from "../inventory/inventory.js";
import { elevated } from "../route/become.js";
import type { WayMesh } from "../route/way-mesh.js";
import type { Way } from "../route/ways.js";
import type { PlainVars } from "../variables.js";
import { Foreseen } from "./foreseen.js";
import type { Report } from "./options.js";
import type { PreparedHost } from "./prepare.js";

/** Why a host is out of the run. */
export interface Loss {
  readonly at: string;
  readonly error: MopError;
}

/** One host through a whole run: how it is reached, what was reported, what it counts. */
export class HostState {
  readonly host: InventoryHost;
  /** In the order in which they are tried */
  readonly ways: readonly [Way, ...Way[]];
  /** What travels of its variables */
  readonly vars: PlainVars;
  readonly summary: HostSummary = { ok: 0, changed: 0, failed: 0, skipped: 0, unreachable: false };
  failed = false;
  /** Under --check: what its roles planned, and which nodes know of it */
  readonly foreseen = new Foreseen();
  /** It was dialled, or tried to */
  contacted = false;
  readonly #report: Report;
  #announced = false;

  constructor({ host, ways, vars }: PreparedHost, report: Report) {
    this.host = host;
    this.ways = ways;
    this.vars = vars;
    this.#report = report;
  }

  get name(): string {
    return this.host.name;
  }

  /** What hooks see. */
  get policyHost(): PolicyHost {
    return { name: this.host.name, groups: this.host.groups, vars: this.host.vars };
  }

  /** The node at the end of its route, run as that user; the one of an earlier role while it lives. */
  reach(mesh: WayMesh, become?: Become, again = false): NodeHandle {
    this.contacted = true;
    const node = mesh.reachBy(this.ways, ({ hops }) => elevated(hops, become), again);
    // Whoever waits for these sees the rejection; nobody may be waiting yet.
    node.dispatched.catch(() => undefined);
    node.up.catch(() => undefined);
    return node;
  }

  /** Resolves once the node is up and the operator was told, which happens once a run. */
  async connected(node: NodeHandle): Promise<void> {
    await node.up;
    if (this.#announced) return;
    this.#announced = true;
    const { detours = [], jumps = [] } = node;
    this.#report({
      event: "host",
      host: this.name,
      state: "connected",
      route: node.route,
      ms: Math.round(node.connectMs ?? 0),
      ...(detours.length > 0 ? { detours } : {}),
      ...(jumps.length > 0 ? { jumps } : {}),
    });
  }

  rebooting(): void {
    this.#report({ event: "host", host: this.name, state: "rebooting" });
  }

  lost({ at, error }: Loss): void {
    if (this.summary.unreachable) return;
    this.summary.unreachable = true;
    const { code, message: reason } = error;
    this.#report({ event: "host", host: this.name, state: "unreachable", at, code, reason });
  }

  /** Counts as they were, but for what failed meanwhile. */
  restore({ ok, changed, skipped, ignored, again }: HostSummary): void {
    Object.assign(this.summary, { ok, changed, skipped });
    if (ignored === undefined) delete this.summary.ignored;
    else this.summary.ignored = ignored;
    if (again !== undefined) this.summary.again = again;
  }

  count({ status, ignored }: Pick<ResourceEvent, "status" | "ignored">): void {
    if (ignored) this.summary.ignored = (this.summary.ignored ?? 0) + 1;
    else this.summary[status]++;
  }
}

/** What a node's `dispatched` or `up` was rejected with: at which hop, and why. */
export function lossOf(thrown: unknown, name: string): Loss {
  const error = asMopError(thrown);
  const { at, error: cause } = thrown as { at?: unknown; error?: unknown };
  return {
    at: typeof at === "string" ? at : name,
    error: cause instanceof Error ? asMopError(cause) : error,
  };
}

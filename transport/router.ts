import { type ErrorName, MopError } from "./errors.js";
import type { NodeId } from "./types.js";
import { FRAME_RULES, FrameType } from "./wire/constants.js";
import type { Frame } from "./wire/frame.js";

/** The link that a frame came in on or leaves by. */
export type Way = "parent" | NodeId;

export type Decision =
  /** for this node */
  | { readonly kind: "local" }
  /** for another; `path` frames are read here too */
  | { readonly kind: "forward"; readonly to: Way }
  /** from or to a node that is gone already */
  | { readonly kind: "drop" }
  /** from above to a node that was never announced here */
  | { readonly kind: "unknown" }
  /** the neighbour broke a rule: its link must be closed */
  | { readonly kind: "violation"; readonly error: MopError };

const LOCAL: Decision = { kind: "local" };
const DROP: Decision = { kind: "drop" };

const violation = (code: ErrorName, message: string): Decision => ({
  kind: "violation",
  error: new MopError(code, message),
});

/**
 * Who lies where, and what may pass. Pure: holds the table, decides about headers, sends nothing.
 * A node knows its ancestors (from its parent's hello) and every node below it (from ROUTE frames).
 */
export class Router {
  #self: NodeId;
  #ancestors: readonly NodeId[] = [];
  /** Every node below, and its parent */
  readonly #parents = new Map<NodeId, NodeId>();
  /** Frames of theirs may still be on the way when the news of their end came */
  readonly #gone = new Set<NodeId>();

  constructor(self: NodeId) {
    this.#self = self;
  }

  get self(): NodeId {
    return this.#self;
  }

  /** Parent first, controller last; empty on the controller. */
  get ancestors(): readonly NodeId[] {
    return this.#ancestors;
  }

  /** What the parent's hello said. */
  place(self: NodeId, ancestors: readonly NodeId[]): void {
    this.#self = self;
    this.#ancestors = ancestors;
  }

  /** Announces a node below. Throws MopError (BAD_ARGUMENT, NODE_GONE) when that can't be. */
  add(id: NodeId, parent: NodeId): void {
    if (id === this.#self || this.#ancestors.includes(id) || this.#parents.has(id) || this.#gone.has(id))
      throw new MopError("BAD_ARGUMENT", `Node id ${id} is taken`);
    if (parent !== this.#self && !this.#parents.has(parent))
      throw new MopError("NO_ROUTE", `Node ${parent}, that should be the parent of ${id}, is not known`);
    this.#parents.set(id, parent);
  }

  /** Takes a node and all below it out of the table; those taken out, deepest last. */
  remove(id: NodeId): NodeId[] {
    if (!this.#parents.has(id)) return [];
    const removed = new Set([id]);
    // A Map keeps its order, and parents come in before their children.
    for (const [node, parent] of this.#parents) if (removed.has(parent)) removed.add(node);
    for (const node of removed) {
      this.#parents.delete(node);
      this.#gone.add(node);
    }
    return [...removed];
  }

  isGone(id: NodeId): boolean {
    return this.#gone.has(id);
  }

  markGone(id: NodeId): void {
    this.#gone.add(id);
  }

  isBelow(id: NodeId): boolean {
    return this.#parents.has(id);
  }

  parentOf(id: NodeId): NodeId | undefined {
    return this.#parents.get(id);
  }

  /** The direct child under which `id` lies; itself when it is a child. */
  childToward(id: NodeId): NodeId | undefined {
    let at = id;
    for (let parent = this.#parents.get(at); parent !== undefined; parent = this.#parents.get(at)) {
      if (parent === this.#self) return at;
      at = parent;
    }
    return undefined;
  }

  /** What is to be done with a frame that came in on `from`. */
  decide(from: Way, frame: Frame): Decision {
    const rule = FRAME_RULES.get(frame.type);
    if (!rule) return violation("PROTOCOL", `Unknown frame type ${frame.type}`);
    if (rule.direction === (from === "parent" ? "up" : "down"))
      return violation(
        "NOT_ALLOWED",
        `${rule.name} may not come from ${from === "parent" ? "above" : "below"}`,
      );
    if (rule.scope === "link") {
      if (frame.destination !== 0 || frame.source !== 0 || frame.channel !== 0)
        return violation("BAD_SOURCE", `${rule.name} is between neighbours and has no addresses`);
      return LOCAL;
    }
    return from === "parent" ? this.#fromAbove(frame) : this.#fromBelow(from, frame);
  }

  #fromAbove(frame: Frame): Decision {
    if (!this.#ancestors.includes(frame.source))
      return violation(
        "BAD_SOURCE",
        `A frame from above claims to be from ${frame.source}, which is no ancestor`,
      );
    if (frame.destination === this.#self) return LOCAL;
    const child = this.childToward(frame.destination);
    if (child !== undefined) return { kind: "forward", to: child };
    return this.#gone.has(frame.destination) ? DROP : { kind: "unknown" };
  }

  #fromBelow(from: NodeId, frame: Frame): Decision {
    if (this.childToward(frame.source) !== from) {
      // Frames of a node that was just removed are late, not forged.
      if (this.#gone.has(frame.source)) return DROP;
      return violation("BAD_SOURCE", `A frame from below ${from} claims to be from ${frame.source}`);
    }
    if (frame.type === FrameType.GONE && frame.destination !== 0)
      return violation("NOT_ALLOWED", "GONE goes up to the controller");
    if (frame.destination === this.#self) return LOCAL;
    if (this.#ancestors.includes(frame.destination)) return { kind: "forward", to: "parent" };
    return violation(
      "NOT_ALLOWED",
      `Node ${frame.source} may talk to its ancestors only, not to ${frame.destination}`,
    );
  }
}

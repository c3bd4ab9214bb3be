import { type BlobSet, Flights } from "../../../relay/blobs/flight.js";
import { MopError } from "../../../transport/errors.js";
import type { NodeId } from "../../../transport/types.js";

/** What a link carries: control messages in order, and blobs in order; control may overtake blobs. */
interface Link {
  readonly down: (() => void)[];
  readonly blobs: (() => void)[];
  readonly up: (() => void)[];
}

export interface SimNode {
  readonly id: NodeId;
  readonly parent: SimNode | undefined;
  readonly flights: Flights;
  readonly stored: Set<string>;
  readonly children: SimNode[];
  readonly link: Link;
  /** Every blob that was ever held here: hash to how often it came over the link */
  readonly copies: Map<string, number>;
  readonly evictions: Map<string, number>;
  readonly offered: Set<string>;
  /** What this node itself waits for, and what became of it */
  readonly waiting: Set<string>;
  readonly outcomes: Map<string, "landed" | MopError>;
  readonly asks: Set<string>;
  readonly pins: Map<string, number>;
  /** What its parent took from the queue to it, to be sent in the next step */
  taken: string | undefined;
  ended: number;
  alive: boolean;
}

const count = (map: Map<string, number>, key: string, by = 1) => map.set(key, (map.get(key) ?? 0) + by);

/** A tree of state machines without bytes: every message moves when the test says so. */
export class Simulation {
  readonly nodes: SimNode[] = [];
  /** What the controller fails to read */
  readonly unreadable = new Set<string>();
  corruptions = 0;

  /** `parents[i]`: index of the parent of node i + 1. */
  constructor(parents: readonly number[]) {
    this.#add(undefined);
    for (const parent of parents) this.#add(this.nodes[parent % this.nodes.length]);
  }

  #add(parent: SimNode | undefined): void {
    const id = this.nodes.length;
    const node: SimNode = {
      id,
      parent,
      children: [],
      stored: new Set(),
      copies: new Map(),
      evictions: new Map(),
      offered: new Set(),
      waiting: new Set(),
      outcomes: new Map(),
      asks: new Set(),
      pins: new Map(),
      link: { down: [], blobs: [], up: [] },
      taken: undefined,
      ended: 0,
      alive: true,
      flights: new Flights({
        has: (hash) => !parent || node.stored.has(hash),
        ask: (hash) => void node.asks.add(hash),
        ready: () => {},
        lack: (child, hash, error) => {
          const to = this.nodes[child]!;
          to.link.down.push(() => to.flights.failed(hash, error));
        },
        landed: (hash, error) => {
          if (!error && !node.stored.has(hash)) throw new Error(`${hash} landed on ${id} and is not there`);
          node.waiting.delete(hash);
          node.outcomes.set(hash, error ?? "landed");
        },
        pin: (hash, by) => void count(node.pins, hash, by),
      }),
    };
    parent?.children.push(node);
    this.nodes.push(node);
  }

  /** The child of `from` that leads to `to`. */
  #toward(from: SimNode, to: SimNode): SimNode | undefined {
    let at: SimNode | undefined = to;
    while (at && at.parent !== from) at = at.parent;
    return at;
  }

  spread(at: SimNode, set: BlobSet, to: readonly SimNode[], push: boolean): void {
    if (push && at.parent) at.flights.announced(set);
    if (to.includes(at)) {
      at.flights.allow(set);
      for (const hash of set.keys()) at.offered.add(hash);
    }
    for (const child of at.children.filter(({ alive }) => alive)) {
      const below = to.filter((target) => this.#toward(at, target) === child);
      if (below.length === 0) continue;
      at.flights.allow(set, child.id);
      child.link.down.push(() => this.spread(child, set, below, push));
      if (push) at.flights.push(set, child.id);
    }
  }

  need(node: SimNode, hash: string): void {
    try {
      if (node.flights.need(hash)) node.outcomes.set(hash, "landed");
      else node.waiting.add(hash);
    } catch (error) {
      if (node.offered.has(hash)) throw error;
    }
  }

  /** What its parent's sender does next for a child: takes a blob from the queue, or sends what it took before. */
  send(child: SimNode): boolean {
    const at = child.parent!;
    const hash = child.taken ?? at.flights.next(child.id);
    if (hash === undefined) return false;
    if (child.taken === undefined) {
      child.taken = hash;
      return true;
    }
    child.taken = undefined;
    if (this.unreadable.has(hash) && !at.parent)
      at.flights.lost(child.id, new MopError("BLOB_UNAVAILABLE", "unreadable"));
    else if (at.parent && !at.stored.has(hash)) at.flights.evicted(child.id);
    else {
      at.flights.sending(child.id);
      count(child.copies, hash);
      child.link.blobs.push(() => this.#arrive(child, hash));
    }
    return true;
  }

  #arrive(node: SimNode, hash: string): void {
    node.ended++;
    node.asks.delete(hash);
    if (this.corruptions > 0) {
      this.corruptions--;
      count(node.evictions, hash);
      node.flights.failed(hash, new MopError("BLOB_CORRUPT", "corrupt"), true);
      return;
    }
    node.stored.add(hash);
    node.flights.arrived(hash);
  }

  /** Sends what a node gathered to ask for, in one message. */
  flush(node: SimNode): boolean {
    if (node.asks.size === 0) return false;
    const [hashes, received] = [[...node.asks], node.ended];
    node.asks.clear();
    node.link.up.push(() => node.parent!.flights.want(node.id, received, hashes));
    return true;
  }

  evict(node: SimNode, hash: string): void {
    if (node.stored.delete(hash)) count(node.evictions, hash);
  }

  kill(node: SimNode, from = node.parent!): void {
    node.alive = false;
    if (from === node.parent) from.flights.gone(node.id);
    for (const queue of [node.link.down, node.link.blobs, node.link.up]) queue.length = 0;
    for (const child of node.children) this.kill(child, from);
  }

  /** One step of one link: a delivery (0 to 2), a send (3) or a question (4); false when there is nothing to do. */
  step(node: SimNode, what: number): boolean {
    if (!node.alive || !node.parent) return false;
    if (what === 3) return this.send(node);
    if (what === 4) return this.flush(node);
    const { down, blobs, up } = node.link;
    const message = [down, blobs, up][what]?.shift();
    message?.();
    return message !== undefined;
  }

  /** Until nothing moves any more. */
  drain(): void {
    for (let moved = true, rounds = 0; moved; rounds++) {
      if (rounds > 10_000) throw new Error("it never comes to rest");
      moved = false;
      for (const node of this.nodes)
        for (let what = 0; what < 5; what++) if (this.step(node, what)) moved = true;
    }
  }
}

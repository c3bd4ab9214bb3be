import { MopError } from "../../transport/errors.js";
import type { NodeId } from "../../transport/types.js";

/** What the state machine needs of its node. All calls are made while one of its methods runs. */
export interface FlightPort {
  /** The bytes are at hand: stored, or (on the controller) readable. */
  has(hash: string): boolean;
  /** Ask the parent. */
  ask(hash: string): void;
  /** Something is to be sent to this child: take it with `next`. */
  ready(child: NodeId): void;
  /** Tell a child that it won't get this. */
  lack(child: NodeId, hash: string, error: MopError): void;
  /** What this node itself waited for is here, or can't be had. */
  landed(hash: string, error?: MopError): void;
  /** A blob is needed for sending (+1), or no longer (-1). */
  pin(hash: string, by: 1 | -1): void;
}

/** Hashes (hex) and sizes in bytes. */
export type BlobSet = ReadonlyMap<string, number>;

interface Child {
  readonly allowed: Set<BlobSet>;
  /** To be sent, what was asked for before what is only pushed */
  readonly urgent: Set<string>;
  readonly later: Set<string>;
  /** Taken from a queue, its first byte not sent yet */
  current: string | undefined;
  /** What was sent, and as the how manieth on this link */
  readonly sent: Map<string, number>;
  sends: number;
  refused: number;
  /** Set once the blob channel to it broke: nothing is sent any more */
  broken: MopError | undefined;
}

/** Hashes that a child may ask for without being allowed to, until it is cut. */
const REFUSED_MAX = 65_536;

/** Blobs that this node waits for, and who else does. */
interface Flight {
  /** true: it asked; false: it is pushed to */
  readonly children: Map<NodeId, boolean>;
  local: boolean;
}

/**
 * Which blob goes where, so that each crosses each link once: whatever is needed by several is asked for once, what
 * is on its way by push isn't asked for, what a child was sent isn't sent again unless it says that it has it no
 * more. Pure: holds hashes, no bytes; its node moves those.
 */
export class Flights {
  readonly #port: FlightPort;
  readonly #children = new Map<NodeId, Child>();
  readonly #own = new Set<BlobSet>();
  readonly #flights = new Map<string, Flight>();
  /** What came over the parent's link once: the parent won't send it again unasked */
  readonly #seen = new Set<string>();

  constructor(port: FlightPort) {
    this.#port = port;
  }

  /** From here on this child (this node itself without one) may ask for these; false: it could before. */
  allow(set: BlobSet, child?: NodeId): boolean {
    const sets = child === undefined ? this.#own : this.#child(child).allowed;
    return sets.size < sets.add(set).size;
  }

  /** The parent says that it pushes these: they needn't be asked for. */
  announced(set: BlobSet): void {
    for (const hash of set.keys()) {
      if (this.#port.has(hash) || this.#flights.has(hash)) continue;
      this.#flight(hash, !this.#seen.has(hash));
    }
  }

  /** To be sent ahead to a child that is allowed them. */
  push(set: BlobSet, id: NodeId): void {
    const child = this.#child(id);
    for (const hash of set.keys())
      if (child.broken || !(child.sent.has(hash) || queued(child, hash)))
        this.#deliver(id, child, hash, false);
  }

  /**
   * A child asks. `received` blobs had ended on its link when it did: one that was sent later is still on its way.
   * Throws MopError (TOO_MANY) when it goes on asking for what isn't its own.
   */
  want(id: NodeId, received: number, hashes: readonly string[]): void {
    const child = this.#child(id);
    for (const hash of hashes) {
      if (!allows(child.allowed, hash)) {
        if (++child.refused > REFUSED_MAX)
          throw new MopError("TOO_MANY", `Node ${id} keeps asking for blobs that it was not offered`);
        this.#port.lack(id, hash, notOffered());
      } else if (child.broken || ((child.sent.get(hash) ?? 0) <= received && child.current !== hash))
        this.#deliver(id, child, hash, true);
    }
  }

  /** This node itself needs a blob: `true` when it is at hand, else `landed` tells. Throws MopError. */
  need(hash: string): boolean {
    if (!allows(this.#own, hash)) throw notOffered();
    if (this.#port.has(hash)) return true;
    this.#flight(hash).local = true;
    return false;
  }

  /** A blob came from the parent, was verified and stored. */
  arrived(hash: string): void {
    this.#seen.add(hash);
    const flight = this.#take(hash);
    if (flight?.local) this.#port.landed(hash);
    for (const [id, urgent] of flight?.children ?? []) this.#deliver(id, this.#child(id), hash, urgent);
  }

  /** It can't be had, or what came was not it (`came`). */
  failed(hash: string, error: MopError, came = false): void {
    if (came) this.#seen.add(hash);
    const flight = this.#take(hash);
    if (flight?.local) this.#port.landed(hash, error);
    for (const id of flight?.children.keys() ?? []) this.#port.lack(id, hash, error);
  }

  /** Nothing comes from the parent any more. */
  failAll(error: MopError): void {
    for (const hash of [...this.#flights.keys()]) this.failed(hash, error);
  }

  /** What a child is to be sent next, undefined when nothing; followed by one of `sending`, `evicted`, `lost`. */
  next(id: NodeId): string | undefined {
    const child = this.#children.get(id);
    for (const queue of child ? [child.urgent, child.later] : [])
      for (const hash of queue) {
        queue.delete(hash);
        this.#port.pin(hash, -1);
        child!.current = hash;
        return hash;
      }
    return undefined;
  }

  /** Its first byte is about to leave. */
  sending(id: NodeId): void {
    const [child, hash] = this.#current(id);
    child?.sent.set(hash, ++child.sends);
  }

  /** It was to be sent, but is no longer here: it is asked for anew. */
  evicted(id: NodeId): void {
    const [child, hash] = this.#current(id);
    if (child) this.#deliver(id, child, hash, true);
  }

  /** It was to be sent, and can't be. */
  lost(id: NodeId, error: MopError): void {
    const [child, hash] = this.#current(id);
    if (child) this.#port.lack(id, hash, error);
  }

  /** The channel to a child broke: it gets no blobs any more, and is told so for each. */
  broken(id: NodeId, error: MopError): void {
    const child = this.#children.get(id);
    if (!child || child.broken) return;
    child.broken = error;
    do this.lost(id, error);
    while (this.next(id) !== undefined);
    for (const hash of child.sent.keys()) this.#port.lack(id, hash, error);
    for (const [hash, { children }] of this.#flights)
      if (children.delete(id)) this.#port.lack(id, hash, error);
  }

  gone(id: NodeId): void {
    while (this.next(id) !== undefined);
    this.#children.delete(id);
    for (const { children } of this.#flights.values()) children.delete(id);
  }

  #child(id: NodeId): Child {
    let child = this.#children.get(id);
    if (!child) {
      child = {
        allowed: new Set(),
        urgent: new Set(),
        later: new Set(),
        current: undefined,
        sent: new Map(),
        sends: 0,
        refused: 0,
        broken: undefined,
      };
      this.#children.set(id, child);
    }
    return child;
  }

  /** What was taken from a child's queue last, if it is still to be sent. */
  #current(id: NodeId): [Child | undefined, string] {
    const child = this.#children.get(id);
    const hash = child?.current;
    if (!child || hash === undefined) return [undefined, ""];
    child.current = undefined;
    return [child, hash];
  }

  #deliver(id: NodeId, child: Child, hash: string, urgent: boolean): void {
    if (child.broken) this.#port.lack(id, hash, child.broken);
    else if (!this.#port.has(hash)) {
      const { children } = this.#flight(hash);
      children.set(id, urgent || children.get(id) === true);
    } else if (!child.urgent.has(hash)) {
      if (!child.later.delete(hash)) this.#port.pin(hash, 1);
      (urgent ? child.urgent : child.later).add(hash);
      this.#port.ready(id);
    }
  }

  /** The flight of a blob; a new one is asked for unless it comes of itself. */
  #flight(hash: string, comes = false): Flight {
    let flight = this.#flights.get(hash);
    if (!flight) {
      flight = { children: new Map(), local: false };
      this.#flights.set(hash, flight);
      if (!comes) this.#port.ask(hash);
    }
    return flight;
  }

  #take(hash: string): Flight | undefined {
    const flight = this.#flights.get(hash);
    this.#flights.delete(hash);
    return flight;
  }
}

const queued = (child: Child, hash: string): boolean =>
  child.urgent.has(hash) || child.later.has(hash) || child.current === hash;

const notOffered = (): MopError => new MopError("BLOB_NOT_OFFERED", "it was not offered to this node");

function allows(sets: ReadonlySet<BlobSet>, hash: string): boolean {
  for (const set of sets) if (set.has(hash)) return true;
  return false;
}

import { asMopError, type MopError } from "../../transport/errors.js";
import type { NodeInfo, Value } from "../../transport/types.js";
import type { Place } from "./place.js";
import type { BlobSource, Jump, Mesh, NodeHandle } from "./types.js";

/** Hosts on the way that still may turn out to have no node: orders go ahead of that all the same. */
export function isUndecided({ parent }: Place): boolean {
  for (let at = parent; at; at = at.parent)
    if (at.mayJump && !at.isUp && at.starts !== "nothing") return true;
  return false;
}

/** Where a place's way goes on over a login that a node was to be started over, the first one first. */
export function jumpsOf(place: Place): Jump[] {
  const jumps: Jump[] = [];
  for (let at: Place | undefined = place; at; at = at.parent)
    if (at.goesOnWith) jumps.unshift({ at: at.name, reason: at.goesOnWith.reason.message });
  return jumps;
}

/**
 * A node behind hosts of which it isn't known yet whether they have one. Where one has none, this becomes the node
 * behind a jump, which is offered, sent and ordered what the one before was: nothing of it can have been carried out, since whatever
 * lies behind a host is logged in to by way of its node.
 */
export class UndecidedNode implements NodeHandle {
  current: NodeHandle;
  readonly up: Promise<NodeInfo>;
  readonly dispatched: Promise<void>;
  readonly gone: Promise<MopError | undefined>;
  readonly #next: () => NodeHandle | undefined;
  readonly #mesh: Pick<Mesh, "offer" | "push">;
  readonly #offered = new Map<string, BlobSource>();
  readonly #pushed = new Set<string>();
  #isDecided = false;

  /** `next`: the node behind the jump, once it is known that there is one to be */
  constructor(first: NodeHandle, next: () => NodeHandle | undefined, mesh: Pick<Mesh, "offer" | "push">) {
    this.current = first;
    this.#next = next;
    this.#mesh = mesh;
    this.up = this.#settle((node) => node.up);
    this.dispatched = this.#settle((node) => node.dispatched);
    this.gone = this.up.then(
      () => this.current.gone,
      (error: unknown) => asMopError(error),
    );
    for (const promise of [this.up, this.dispatched]) promise.catch(() => undefined);
  }

  get id() {
    return this.current.id;
  }

  get name() {
    return this.current.name;
  }

  get route() {
    return this.current.route;
  }

  get jumps() {
    return this.current.jumps ?? [];
  }

  get connectMs() {
    return this.current.connectMs;
  }

  noteOffer(blobs: readonly BlobSource[]): void {
    for (const blob of blobs) this.#offered.set(blob.hash, blob);
  }

  notePush(hashes: readonly string[]): void {
    for (const hash of hashes) this.#pushed.add(hash);
  }

  call(method: string, args: Value, options?: Parameters<NodeHandle["call"]>[2]): Promise<Value> {
    return this.#settle((node) => node.call(method, args, options));
  }

  wing(options: Parameters<NodeHandle["wing"]>[0]): Promise<Uint8Array> {
    return this.#settle((node) => node.wing(options));
  }

  async #settle<T>(ask: (node: NodeHandle) => Promise<T>): Promise<T> {
    for (;;) {
      const node = this.current;
      try {
        return await ask(node);
      } catch (error) {
        if (!this.#isReplaced(node)) throw error;
      }
    }
  }

  /** Whether another node stands for this one by now. */
  #isReplaced(node: NodeHandle): boolean {
    if (this.current !== node) return true;
    // The next one minds the hosts that are undecided behind this jump
    const next = this.#isDecided ? undefined : this.#next();
    if (!next) return false;
    this.#isDecided = true;
    this.current = next;
    if (this.#offered.size > 0) this.#mesh.offer([...this.#offered.values()], [next]);
    if (this.#pushed.size > 0) this.#mesh.push([...this.#pushed], [next]);
    return true;
  }
}

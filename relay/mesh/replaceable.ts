import { asMopError, type MopError } from "../../transport/errors.js";
import type { NodeInfo, Value } from "../../transport/types.js";
import type { BlobSource, HopReason, Mesh, NodeHandle } from "./types.js";

export interface Replacing {
  /** The node that takes the place of one that failed so; undefined: none does, for now. May reject with a better reason. */
  next(failed: NodeHandle, error: unknown): NodeHandle | undefined | Promise<NodeHandle | undefined>;
  readonly mesh: Pick<Mesh, "offer" | "push">;
}

/**
 * A node that another one may take the place of, before anything was carried out there: that one is offered, sent and
 * ordered what this one was.
 */
export class ReplaceableNode implements NodeHandle {
  current: NodeHandle;
  readonly up: Promise<NodeInfo>;
  readonly dispatched: Promise<void>;
  readonly gone: Promise<MopError | undefined>;
  readonly #replacing: Replacing;
  readonly #offered = new Map<string, BlobSource>();
  readonly #pushed = new Set<string>();
  /** What takes the place of nodes that failed, as far as that is being found out */
  readonly #nexts = new Map<NodeHandle, Promise<boolean>>();

  constructor(first: NodeHandle, replacing: Replacing) {
    this.current = first;
    this.#replacing = replacing;
    this.up = this.#follow((node) => node.up);
    this.dispatched = this.#follow((node) => node.dispatched);
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

  get jumps(): readonly HopReason[] {
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
    return this.#follow((node) => node.call(method, args, options));
  }

  wing(options: Parameters<NodeHandle["wing"]>[0]): Promise<Uint8Array> {
    return this.#follow((node) => node.wing(options));
  }

  async #follow<T>(ask: (node: NodeHandle) => Promise<T>): Promise<T> {
    for (;;) {
      const node = this.current;
      try {
        return await ask(node);
      } catch (error) {
        if (this.current === node && !(await this.#isReplaced(node, error))) throw error;
      }
    }
  }

  /** Whether another node stands for this one now; several that wait for it ask once. */
  #isReplaced(node: NodeHandle, error: unknown): Promise<boolean> {
    const known = this.#nexts.get(node);
    if (known) return known;
    const found = this.#replace(node, error).finally(() => this.#nexts.delete(node));
    this.#nexts.set(node, found);
    return found;
  }

  async #replace(node: NodeHandle, error: unknown): Promise<boolean> {
    const next = await this.#replacing.next(node, error);
    if (!next) return false;
    this.current = next;
    const { mesh } = this.#replacing;
    if (this.#offered.size > 0) mesh.offer([...this.#offered.values()], [next]);
    if (this.#pushed.size > 0) mesh.push([...this.#pushed], [next]);
    return true;
  }
}

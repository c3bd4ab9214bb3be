import type { BlobSource, Hop, Mesh, NodeHandle } from "../../../relay/mesh/types.js";
import { UnreachableError } from "../../../relay/mesh/unreachable.js";
import { asMopError, type MopError } from "../../../transport/errors.js";
import type { NodeInfo, Value } from "../../../transport/types.js";
import { allFailed, DeadWays, type FailedWay, namesOf, nextWay } from "./next-way.js";
import type { Way } from "./ways.js";

/** A hop that another way was taken round. */
export interface Detour {
  readonly at: string;
  readonly reason: string;
}

/** A mesh that goes another way to a host when one fails. */
export interface WayMesh extends Mesh {
  /** The node at the end of the first way that works; `hopsOf` says what a way's hops are in the end. */
  reachBy(ways: readonly Way[], hopsOf?: (way: Way) => readonly Hop[], again?: boolean): NodeHandle;
  /** What failed before a node was reached, but for hosts that were dialled directly for a try */
  detours(node: NodeHandle): readonly Detour[];
}

const wrapped = new WeakMap<Mesh, WayMesh>();

/** The same mesh with ways: what was found dead in its life is tried last. */
export function withWays(mesh: Mesh): WayMesh {
  const known = wrapped.get(mesh) ?? wrap(mesh);
  wrapped.set(mesh, known);
  wrapped.set(known, known);
  return known;
}

function wrap(mesh: Mesh): WayMesh {
  const dead = new DeadWays();
  const plain = (nodes: readonly NodeHandle[]) => nodes.filter((node) => !(node instanceof WayNode));
  const several = (nodes: readonly NodeHandle[]) => nodes.filter((node) => node instanceof WayNode);
  return {
    reach: (route, again) => mesh.reach(route, again),
    reachBy(ways, hopsOf = (way) => way.hops, again = false) {
      const [only] = ways;
      if (only && ways.length === 1) return mesh.reach(hopsOf(only), again);
      return new WayNode({ mesh, dead, ways, hopsOf, again });
    },
    detours: (node) => (node instanceof WayNode ? node.detours : []),
    offer(blobs, to) {
      const nodes = plain(to);
      if (nodes.length > 0) mesh.offer(blobs, nodes);
      const current = several(to).map((node) => node.noteOffer(blobs));
      if (current.length > 0) mesh.offer(blobs, current);
    },
    push(hashes, to) {
      const nodes = [...plain(to), ...several(to).map((node) => node.notePush(hashes))];
      if (nodes.length > 0) mesh.push(hashes, nodes);
    },
    ping: (node) => mesh.ping(node instanceof WayNode ? node.current : node),
    links: () => mesh.links(),
    close: () => mesh.close(),
  };
}

interface WayNodePort {
  readonly mesh: Mesh;
  readonly dead: DeadWays;
  readonly ways: readonly Way[];
  readonly hopsOf: (way: Way) => readonly Hop[];
  readonly again: boolean;
}

/**
 * A node that there are several ways to. Until it is up it may become another one, which is then offered and sent what
 * the one before was. What is lost later stays lost: nobody knows what it did last.
 */
class WayNode implements NodeHandle {
  current: NodeHandle;
  readonly up: Promise<NodeInfo>;
  /**
   * When it is up, not earlier: an order on its way to a node that may be given up for another could be carried out twice.
   * It costs one round trip.
   */
  readonly dispatched: Promise<void>;
  readonly gone: Promise<MopError | undefined>;
  readonly detours: Detour[] = [];
  readonly #port: WayNodePort;
  readonly #started = performance.now();
  readonly #offered = new Map<string, BlobSource>();
  readonly #pushed = new Set<string>();
  #way: Way;
  #connectMs: number | undefined;

  constructor(port: WayNodePort) {
    this.#port = port;
    this.#way = nextWay(port.ways, [], port.dead)!;
    this.current = this.#reach();
    this.up = this.#reachAny();
    this.dispatched = this.up.then(() => undefined);
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

  get connectMs() {
    return this.#connectMs;
  }

  noteOffer(blobs: readonly BlobSource[]): NodeHandle {
    for (const blob of blobs) this.#offered.set(blob.hash, blob);
    return this.current;
  }

  notePush(hashes: readonly string[]): NodeHandle {
    for (const hash of hashes) this.#pushed.add(hash);
    return this.current;
  }

  async call(method: string, args: Value, options?: Parameters<NodeHandle["call"]>[2]): Promise<Value> {
    await this.up;
    return this.current.call(method, args, options);
  }

  async wing(options: Parameters<NodeHandle["wing"]>[0]): Promise<Uint8Array> {
    await this.up;
    return this.current.wing(options);
  }

  #reach(): NodeHandle {
    const { mesh, hopsOf, again } = this.#port;
    const node = mesh.reach(hopsOf(this.#way), again);
    for (const promise of [node.dispatched, node.up]) promise.catch(() => undefined);
    return node;
  }

  async #reachAny(): Promise<NodeInfo> {
    const { mesh, ways, dead } = this.#port;
    const failed: FailedWay[] = [];
    for (;;) {
      try {
        const info = await this.current.up;
        this.#connectMs = performance.now() - this.#started;
        void this.current.gone.then((error) => this.#lost(error));
        return info;
      } catch (thrown) {
        const way = this.#way;
        const { at, error } = whereOf(thrown, this.name);
        failed.push({ way, at, error });
        dead.note(way, at);
        const next = nextWay(ways, failed, dead);
        if (!next) throw new UnreachableError(at, allFailed(this.name, failed));
        if (way.skipped.length === 0) this.detours.push({ at, reason: error.message });
        this.#way = next;
        this.current = this.#reach();
        if (this.#offered.size > 0) mesh.offer([...this.#offered.values()], [this.current]);
        if (this.#pushed.size > 0) mesh.push([...this.#pushed], [this.current]);
      }
    }
  }

  /** A hop that is lost behind us is dead for those that come later; the host itself may only have been restarted. */
  #lost(error: MopError | undefined): void {
    if (!error) return;
    const { at } = whereOf(error, this.name);
    if (at !== this.name && namesOf(this.#way).includes(at)) this.#port.dead.note(this.#way, at);
  }
}

function whereOf(thrown: unknown, name: string): { readonly at: string; readonly error: MopError } {
  return thrown instanceof UnreachableError ? thrown : { at: name, error: asMopError(thrown) };
}

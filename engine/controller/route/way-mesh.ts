import type { BlobSource, Hop, HopReason, Mesh, NodeHandle } from "../../../relay/mesh/types.js";
import { UnreachableError, unreachable } from "../../../relay/mesh/unreachable.js";
import { asMopError, type MopError } from "../../../transport/errors.js";
import type { NodeInfo, Value } from "../../../transport/types.js";
import { allFailed, DeadWays, type FailedWay, namesOf, nextWay, shortcutOf } from "./next-way.js";
import type { Way } from "./ways.js";

/** A mesh that goes another way to a host when one fails. */
export interface WayMesh extends Mesh {
  /** The node at the end of the first way that works; `hopsOf` says what a way's hops are in the end. */
  reachBy(ways: readonly Way[], hopsOf?: (way: Way) => readonly Hop[], again?: boolean): NodeHandle;
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
  const pioneers = new Map<string, Promise<void>>();
  const plain = (nodes: readonly NodeHandle[]) => nodes.filter((node) => !(node instanceof WayNode));
  const several = (nodes: readonly NodeHandle[]) => nodes.filter((node) => node instanceof WayNode);
  return {
    reach: (route, again) => mesh.reach(route, again),
    reachBy(ways, hopsOf = (way) => way.hops, again = false) {
      const [only] = ways;
      if (only && ways.length === 1) return mesh.reach(hopsOf(only), again);
      return new WayNode({ mesh, dead, pioneers, ways, hopsOf, again });
    },
    offer(blobs, to) {
      const nodes = plain(to);
      if (nodes.length > 0) mesh.offer(blobs, nodes);
      const current = several(to).flatMap((node) => node.noteOffer(blobs) ?? []);
      if (current.length > 0) mesh.offer(blobs, current);
    },
    push(hashes, to) {
      const nodes = [...plain(to), ...several(to).flatMap((node) => node.notePush(hashes) ?? [])];
      if (nodes.length > 0) mesh.push(hashes, nodes);
    },
    async ping(node) {
      await node.up;
      return mesh.ping(node instanceof WayNode ? node.current! : node);
    },
    links: () => mesh.links(),
    close: () => mesh.close(),
  };
}

interface WayNodePort {
  readonly mesh: Mesh;
  readonly dead: DeadWays;
  /** First tries to leave certain hops out; others wait for how they end */
  readonly pioneers: Map<string, Promise<void>>;
  readonly ways: readonly Way[];
  readonly hopsOf: (way: Way) => readonly Hop[];
  readonly again: boolean;
}

/**
 * A node that there are several ways to. Until it is up it may become another one, which is then offered and sent what
 * the one before was. What is lost later stays lost: nobody knows what it did last.
 */
class WayNode implements NodeHandle {
  /** Undefined while it waits for how another host fares */
  current: NodeHandle | undefined;
  readonly up: Promise<NodeInfo>;
  /**
   * When it is up, not earlier: an order on its way to a node that may be given up for another could be carried out twice.
   * It costs one round trip.
   */
  readonly dispatched: Promise<void>;
  readonly gone: Promise<MopError | undefined>;
  readonly detours: HopReason[] = [];
  readonly #port: WayNodePort;
  readonly #started = performance.now();
  readonly #offered = new Map<string, BlobSource>();
  readonly #pushed = new Set<string>();
  #way: Way;
  #connectMs: number | undefined;

  constructor(port: WayNodePort) {
    this.#port = port;
    this.#way = nextWay(port.ways, [], port.dead)!;
    const { skipped } = this.#way;
    const pioneer = skipped.length > 0 ? port.pioneers.get(shortcutOf(this.#way)) : undefined;
    if (pioneer) this.up = pioneer.then(() => this.#choose());
    else {
      const first = this.#reach();
      if (skipped.length > 0) port.pioneers.set(shortcutOf(this.#way), settled(first.up));
      this.up = this.#reachAny(first);
    }
    this.dispatched = this.up.then(() => undefined);
    this.gone = this.up.then(
      () => this.current!.gone,
      (error: unknown) => asMopError(error),
    );
    for (const promise of [this.up, this.dispatched]) promise.catch(() => undefined);
  }

  get id() {
    return this.current?.id ?? 0;
  }

  get name() {
    return namesOf(this.#way).at(-1)!;
  }

  get route() {
    return this.current?.route ?? namesOf(this.#way);
  }

  get jumps() {
    return this.current?.jumps ?? [];
  }

  get connectMs() {
    return this.#connectMs;
  }

  noteOffer(blobs: readonly BlobSource[]): NodeHandle | undefined {
    for (const blob of blobs) this.#offered.set(blob.hash, blob);
    return this.current;
  }

  notePush(hashes: readonly string[]): NodeHandle | undefined {
    for (const hash of hashes) this.#pushed.add(hash);
    return this.current;
  }

  async call(method: string, args: Value, options?: Parameters<NodeHandle["call"]>[2]): Promise<Value> {
    await this.up;
    return this.current!.call(method, args, options);
  }

  async wing(options: Parameters<NodeHandle["wing"]>[0]): Promise<Uint8Array> {
    await this.up;
    return this.current!.wing(options);
  }

  #reach(): NodeHandle {
    const { mesh, hopsOf, again } = this.#port;
    const node = mesh.reach(hopsOf(this.#way), again);
    for (const promise of [node.dispatched, node.up]) promise.catch(() => undefined);
    this.current = node;
    if (this.#offered.size > 0) mesh.offer([...this.#offered.values()], [node]);
    if (this.#pushed.size > 0) mesh.push([...this.#pushed], [node]);
    return node;
  }

  /** Now that it is known how the first host fared that is reached in the same way. */
  #choose(): Promise<NodeInfo> {
    this.#way = nextWay(this.#port.ways, [], this.#port.dead)!;
    return this.#reachAny(this.#reach());
  }

  async #reachAny(first: NodeHandle): Promise<NodeInfo> {
    const { ways, dead } = this.#port;
    const failed: FailedWay[] = [];
    for (let node = first; ; ) {
      try {
        const info = await node.up;
        this.#connectMs = performance.now() - this.#started;
        void node.gone.then((error) => this.#lost(error));
        return info;
      } catch (thrown) {
        const way = this.#way;
        const { at, error } = unreachable(this.name, thrown);
        failed.push({ way, at, error });
        dead.note({ way, at, error });
        const next = nextWay(ways, failed, dead);
        if (!next) throw new UnreachableError(at, allFailed(this.name, failed));
        if (way.skipped.length === 0) this.detours.push({ at, reason: error.message });
        this.#way = next;
        node = this.#reach();
      }
    }
  }

  /** A hop that is lost behind us is dead for those that come later; the host itself may only have been restarted. */
  #lost(error: MopError | undefined): void {
    if (!error) return;
    const lost = unreachable(this.name, error);
    if (lost.at !== this.name && namesOf(this.#way).includes(lost.at))
      this.#port.dead.note({ way: this.#way, at: lost.at, error: lost.error });
  }
}

/** When a promise has come to an end, whichever. A turn later: whoever waits for it too has noted it then. */
const settled = (promise: Promise<unknown>): Promise<void> =>
  promise.then(
    () => undefined,
    () => new Promise((resolve) => setImmediate(resolve)),
  );

import type { BlobSource, DialingMesh, Hop, NodeHandle } from "../../../relay/mesh/types.js";
import type { UnreachableError } from "../../../relay/mesh/unreachable.js";
import { asMopError, type ErrorName, type MopError } from "../../../transport/errors.js";
import type { NodeInfo, Value } from "../../../transport/types.js";

/** Nothing ran on a host that failed so: what was sent there can be sent anew. */
const WITHOUT_NODE: ReadonlySet<ErrorName> = new Set<ErrorName>(["NO_NODE", "NODE_TOO_OLD"]);
/** Milliseconds in which other hosts that have none either come to the same question. */
const GATHER_MS = 1500;

/** Asks whether these hosts may be brought a Node; the answer holds for the run. */
export type MayBring = (hosts: readonly string[]) => Promise<boolean>;

/** The mesh, with a Node brought to hosts that have none where the operator says so: they are asked once, for all. */
export function askingMesh(mesh: DialingMesh, mayBring: MayBring, gatherMs = GATHER_MS): DialingMesh {
  const allowed = new Set<string>();
  const nodes = new WeakMap<NodeHandle, AskingNode>();
  let answer: Promise<boolean> | undefined;
  const ask = (host: string): Promise<boolean> => {
    allowed.add(host);
    answer ??= new Promise((resolve) => {
      setTimeout(() => resolve(mayBring([...allowed])), gatherMs);
    });
    return answer;
  };
  const reach = (route: readonly Hop[], again: boolean): NodeHandle =>
    mesh.reach(
      route.map((hop) => (allowed.has(hop.target.name) && hop.node === "" ? { ...hop, bring: true } : hop)),
      again,
    );
  const inner = (node: NodeHandle) => (node instanceof AskingNode ? node.current : node);
  const asking = (to: readonly NodeHandle[]) => to.filter((node) => node instanceof AskingNode);
  return {
    ...mesh,
    reach(route, again = false) {
      const first = reach(route, again);
      const known = nodes.get(first);
      if (known) return known;
      const tried = new Set<string>();
      const node = new AskingNode(first, {
        /** Of a node that failed so: the one that takes its place */
        async next(error) {
          const { at, code } = error;
          const hop = route.find(({ target }) => target.name === at);
          const may = WITHOUT_NODE.has(code) && hop && !hop.bring && hop.node === "";
          if (!may || tried.has(at) || !(await ask(at))) throw error;
          tried.add(at);
          return reach(route, true);
        },
        offer: (blobs, to) => mesh.offer(blobs, [to]),
        push: (hashes, to) => mesh.push(hashes, [to]),
      });
      nodes.set(first, node);
      return node;
    },
    offer(blobs, to) {
      for (const node of asking(to)) node.offered.push(...blobs);
      mesh.offer(blobs, to.map(inner));
    },
    push(hashes, to) {
      for (const node of asking(to)) node.pushed.push(...hashes);
      mesh.push(hashes, to.map(inner));
    },
    async ping(node) {
      await node.up;
      return mesh.ping(inner(node));
    },
  };
}

interface AskingPort {
  next(error: UnreachableError): Promise<NodeHandle>;
  offer(blobs: readonly BlobSource[], to: NodeHandle): void;
  push(hashes: readonly string[], to: NodeHandle): void;
}

class AskingNode implements NodeHandle {
  current: NodeHandle;
  readonly offered: BlobSource[] = [];
  readonly pushed: string[] = [];
  readonly up: Promise<NodeInfo>;
  readonly dispatched: Promise<void>;
  readonly gone: Promise<MopError | undefined>;
  readonly #port: AskingPort;
  /** What takes the place of a node that failed */
  readonly #nexts = new Map<NodeHandle, Promise<NodeHandle>>();

  constructor(first: NodeHandle, port: AskingPort) {
    this.current = first;
    this.#port = port;
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

  get connectMs() {
    return this.current.connectMs;
  }

  call(method: string, args: Value, options?: Parameters<NodeHandle["call"]>[2]): Promise<Value> {
    return this.#follow((node) => node.call(method, args, options));
  }

  wing(options: Parameters<NodeHandle["wing"]>[0]): Promise<Uint8Array> {
    return this.#follow((node) => node.wing(options));
  }

  async #follow<T>(what: (node: NodeHandle) => Promise<T>): Promise<T> {
    for (let node = this.current; ; ) {
      try {
        return await what(node);
      } catch (error) {
        node = await this.#next(node, error);
      }
    }
  }

  async #next(node: NodeHandle, error: unknown): Promise<NodeHandle> {
    if (asMopError(error).code === "CANCELLED") throw error;
    const known = this.#nexts.get(node);
    if (known) return known;
    // What ends with the node says so in its own words: why it could not be reached stands in `up`
    const next = node.up.then(
      () => Promise.reject(error),
      async (reason: UnreachableError) => {
        const other = await this.#port.next(reason);
        this.current = other;
        if (this.offered.length > 0) this.#port.offer(this.offered, other);
        if (this.pushed.length > 0) this.#port.push(this.pushed, other);
        return other;
      },
    );
    next.catch(() => undefined);
    this.#nexts.set(node, next);
    return next;
  }
}

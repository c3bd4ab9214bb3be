import type { BlobSource, Hop, LinkReport, Mesh, NodeHandle } from "../../relay/mesh/types.js";
import { UnreachableError } from "../../relay/mesh/unreachable.js";
import type { WingHost, WingModule } from "../../relay/wing.js";
import { asMopError, MopError } from "../../transport/errors.js";
import type { NodeInfo, Value } from "../../transport/types.js";

/** Runs one wing order: the real leaf's wing, or a script. */
export type WingScript = (host: WingHost, node: MemoryNode) => void | Promise<void>;

export interface MemoryNode {
  readonly name: string;
  readonly offered: ReadonlyMap<string, BlobSource>;
  readonly pushed: ReadonlySet<string>;
  /** The node is gone, as when its link was cut */
  kill(error: MopError): void;
}

export interface MemoryMeshOptions {
  readonly wing: WingScript;
  /** Hosts that can't be reached, and why: by name, or by their whole route as in "controller>b1>l1" */
  readonly unreachable?: Readonly<Record<string, { at: string; error: MopError }>>;
  /** Called with each route that is reached for the first time, "b1>l1" */
  readonly onReach?: (route: string) => void;
  /** Called with what happens, in order: "reach l1", "offer l1", "push l1", "wing l1" ("sealed wing l1"), "end l1" */
  readonly onStep?: (step: string) => void;
}

const INFO: NodeInfo = {
  protocol: 1,
  runtime: process.version,
  platform: "linux",
  arch: "x64",
  pid: 1,
  uid: 0,
  user: "root",
  hostname: "memory",
  key: new Uint8Array(32),
};

/** A mesh without a network: every host is a function call away. Blobs reach only whom they were offered to. */
export class MemoryMesh implements Mesh {
  readonly nodes = new Map<string, Node>();
  readonly #options: MemoryMeshOptions;
  #next = 1;
  closed = false;

  constructor(options: MemoryMeshOptions) {
    this.#options = options;
  }

  reach(route: readonly Hop[]): NodeHandle {
    const names = route.map((hop) => hop.target.name);
    const key = names.join(">");
    const known = this.nodes.get(key);
    if (known?.alive) return known;
    this.#options.onStep?.(`reach ${names.at(-1)}`);
    this.#options.onReach?.(key);
    const node = new Node(this.#next++, names, this.#options);
    this.nodes.set(key, node);
    return node;
  }

  offer(blobs: readonly BlobSource[], to: readonly NodeHandle[]): void {
    for (const handle of to) {
      const node = handle as Node;
      this.#options.onStep?.(`offer ${node.name}`);
      for (const blob of blobs) node.offered.set(blob.hash, blob);
    }
  }

  push(hashes: readonly string[], to: readonly NodeHandle[]): void {
    for (const handle of to) {
      const node = handle as Node;
      this.#options.onStep?.(`push ${node.name}`);
      for (const hash of hashes) {
        if (!node.offered.has(hash)) throw new Error(`${hash} was pushed to ${node.name} and never offered`);
        node.pushed.add(hash);
      }
    }
  }

  async ping(node: NodeHandle) {
    return node.route.map((to, index) => ({ from: node.route[index - 1] ?? "controller", to, ms: 1 }));
  }

  async links(): Promise<readonly LinkReport[]> {
    if (this.closed) throw new MopError("LINK_LOST", "the mesh is closed");
    return [...this.nodes.values()].map((node) => ({
      from: node.route.at(-2) ?? "controller",
      to: node.name,
      sent: 1,
      received: 1,
    }));
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

class Node implements NodeHandle, MemoryNode {
  readonly id: number;
  readonly name: string;
  readonly route: readonly string[];
  readonly offered = new Map<string, BlobSource>();
  readonly pushed = new Set<string>();
  readonly dispatched: Promise<void>;
  readonly up: Promise<NodeInfo>;
  readonly connectMs = 5;
  readonly gone: Promise<MopError | undefined>;
  alive = true;
  /** What a wing left to the next */
  #kept: unknown;
  readonly #options: MemoryMeshOptions;
  #die: (error: MopError) => void = () => {};

  constructor(id: number, route: readonly string[], options: MemoryMeshOptions) {
    this.id = id;
    this.route = route;
    this.name = route.at(-1)!;
    this.#options = options;
    this.gone = new Promise((resolve) => {
      this.#die = resolve;
    });
    const failure =
      options.unreachable?.[["controller", ...route].join(">")] ?? options.unreachable?.[this.name];
    const reject = () => {
      throw new UnreachableError(failure!.at, failure!.error);
    };
    this.dispatched = Promise.resolve();
    this.up = Promise.resolve().then(() => (failure ? reject() : INFO));
    this.up.catch(() => undefined);
  }

  kill(error: MopError): void {
    this.alive = false;
    this.#die(error);
  }

  async call(method: string): Promise<Value> {
    throw new MopError("UNKNOWN_METHOD", `${method} is not served here`);
  }

  async wing(run: Parameters<NodeHandle["wing"]>[0]): Promise<Uint8Array> {
    await this.up;
    if (!this.offered.has(run.entry)) throw new MopError("BLOB_NOT_OFFERED", "The wing was not offered");
    this.#options.onStep?.(`${run.secret ? "sealed wing" : "wing"} ${this.name}`);
    const stop = new AbortController();
    const onAbort = () => stop.abort(new MopError("CANCELLED", "The run was interrupted"));
    run.signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await new Promise<Uint8Array>((resolve, reject) => {
        void this.gone.then((error) => reject(error ?? new MopError("NODE_GONE", "gone")));
        stop.signal.addEventListener("abort", () => reject(asMopError(stop.signal.reason)), { once: true });
        const host: WingHost = {
          source: new Uint8Array(),
          order: run.order,
          kept: this.#kept,
          keep: (value) => {
            this.#kept = structuredClone(value);
          },
          emit: async (event) => {
            try {
              await run.onEvent(event);
            } catch (error) {
              reject(asMopError(error));
            }
          },
          blob: async (hash) => {
            const source = this.offered.get(hash);
            if (!source) throw new MopError("BLOB_NOT_OFFERED", `${hash} was not offered to ${this.name}`);
            return source.read();
          },
          prefetch: async () => undefined,
          signal: stop.signal,
          childStarted: () => undefined,
          childEnded: () => undefined,
          done: resolve,
        };
        Promise.resolve(this.#options.wing(host, this)).catch(reject);
      });
    } finally {
      run.signal?.removeEventListener("abort", onAbort);
      this.#options.onStep?.(`end ${this.name}`);
    }
  }
}

/** The real leaf's wing, from the bytes that were offered as its entry. */
export function wingOf(module: WingModule): WingScript {
  return (host) => module.start(host);
}

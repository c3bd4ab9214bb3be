import type { MopError } from "../../transport/errors.js";
import type { SshSession } from "../../transport/ssh/types.js";
import type { NodeId, NodeInfo } from "../../transport/types.js";
import type { AuditedLogin } from "./audit.js";
import type { Left } from "./left.js";
import type { Hop } from "./types.js";
import type { UnreachableError } from "./unreachable.js";
import type { From, Way } from "./ways.js";

/** What a hop starts on its host: a relay or the node of this machine, or nothing, where its session only forwards. */
export type Starts = "relay" | "node" | "nothing";

/** A process of the controller's that leads to a host. */
export interface OwnProcess {
  /** Resolves when it is gone */
  readonly exit: Promise<void>;
  kill(): void;
}

export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

/** A promise to be settled from outside; that nobody looks at its failure is no fault. */
export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}

/**
 * One host of the tree: being reached, reached, or lost. A `jump` on the way to somewhere has no node; its `dispatched`
 * means that its session forwards.
 */
export class Place {
  readonly key: string;
  readonly hop: Hop;
  readonly parent: Place | undefined;
  /** 0: nothing of ours runs there (a jump) */
  readonly id: NodeId;
  readonly name: string;
  /** What is started there */
  readonly starts: Starts;
  readonly route: readonly string[];
  /** Another account on the host of its parent (hops/become.ts) */
  readonly isWithin: boolean;
  readonly dispatched = deferred<void>();
  readonly up = deferred<NodeInfo>();
  readonly gone = deferred<MopError | undefined>();
  readonly children = new Set<Place>();
  connectMs: number | undefined;
  /** Why it can't be reached, or was lost */
  failure: UnreachableError | undefined;
  /** Its failure before it is told: what the nodes on the way say of the place from then on only follows from it */
  blamed: UnreachableError | undefined;
  isUp = false;
  isGone = false;
  /** The server let us in: what fails from here on is not the login's fault */
  authenticated = false;
  /** The session, where it stays at the controller */
  session: SshSession | undefined;
  way: Way | undefined;
  /** The login under way */
  login: AuditedLogin | undefined;
  /** The node that its link leads to: its parent when the session was handed over, else the controller (0) */
  linkTo: NodeId = 0;
  /** Settles when its parent, where that starts the node, has said how it went. Never rejects */
  told: Promise<void> | undefined;
  process: OwnProcess | undefined;
  /** A route that passes it goes on without a node there (`Hop.orJump`) */
  mayJump = false;
  /** Where no node could be had: what is left of the login */
  left: Left | undefined;
  /** A jump over the login that another place left, and from where it dials */
  readonly goesOnWith: Left | undefined;
  out: From | undefined;

  constructor(
    key: string,
    hop: Hop,
    parent: Place | undefined,
    id: NodeId,
    starts: Starts,
    goesOnWith?: Left,
  ) {
    this.key = key;
    this.hop = hop;
    this.parent = parent;
    this.id = id;
    this.starts = starts;
    this.goesOnWith = goesOnWith;
    this.name = hop.target.name;
    this.isWithin = parent?.name === this.name;
    this.route = [...(parent?.route ?? []), ...(this.isWithin ? [] : [this.name])];
    parent?.children.add(this);
  }

  reached(info: NodeInfo, ms: number): void {
    if (this.failure) return;
    this.isUp = true;
    this.connectMs = ms;
    this.dispatched.resolve();
    this.up.resolve(info);
  }

  /** It can't be reached, or is lost; `error` names the hop where. */
  fail(error: UnreachableError): void {
    if (this.isGone) return;
    this.isGone = true;
    this.failure = error;
    this.dispatched.reject(error);
    this.up.reject(error);
    this.gone.resolve(error);
    this.release();
  }

  /** A clean end. */
  ended(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.gone.resolve(undefined);
    this.release();
  }

  private release(): void {
    this.session?.close();
    this.parent?.children.delete(this);
  }
}

/** What makes two hops the same place: host, account and what is started there, at the end of the same way. */
export function placeKey(parent: Place | undefined, hop: Hop, starts: Starts): string {
  const { name, user, address, port } = hop.target;
  return JSON.stringify([
    parent?.key ?? "",
    name,
    user,
    address,
    port,
    starts,
    hop.enter ?? [],
    hop.become?.user ?? "",
    hop.become?.method ?? "",
  ]);
}

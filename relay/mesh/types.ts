import type { Duplex } from "node:stream";
import type { MopError } from "../../transport/errors.js";
import type { LoginPace, Prompter, Target } from "../../transport/ssh/types.js";
import type { NodeId, NodeInfo, Value } from "../../transport/types.js";
import type { Become } from "../boot/become.js";
import type { OnAudit } from "./audit.js";
import type { RuntimeFiles } from "./bringing.js";

/** How a host on a route may be passed; what each means is in hops/. */
export const HOP_KINDS = [
  /** a node runs there and is handed the sessions behind it */
  "relay",
  /** a node runs there; sessions behind it stay end to end */
  "sealed",
  /** ssh's own TCP forwarding; nothing runs there */
  "jump",
  /** this machine: the core as a child process */
  "local",
  /** a command that the host before it runs leads into it, as into a container; a node runs there */
  "command",
] as const;
export type HopKind = (typeof HOP_KINDS)[number];

/** The kinds that say how an SSH host is passed as a bastion. */
export const BASTION_KINDS = ["relay", "sealed", "jump"] as const satisfies readonly HopKind[];
export type BastionKind = (typeof BASTION_KINDS)[number];

/** One host of a route: how to log in, what to be on the way, where its Node is. */
export interface Hop {
  readonly target: Target;
  readonly kind: HopKind;
  /** Path of the host's Node (mop_node); empty: look for it */
  readonly node: string;
  /** Where none is found, one may be brought (mop_node = "push") */
  readonly bring?: boolean;
  /**
   * `command` only: program and arguments that lead into it. What is to be run there goes behind them, or as one word of
   * shell in the place of `{command}`
   */
  readonly enter?: readonly string[];
  /** The node runs as another account than the one that is logged in */
  readonly become?: Become;
  /** `auto`: where no node can be had, routes that pass the host take it for a jump, over the same login */
  readonly orJump?: boolean;
  /** Its session is not handed over, whatever the host before it is. Set by hops/become.ts */
  readonly stays?: true;
  /** `command` only: the sessions behind it are not handed to it. Set there too */
  readonly keepsNone?: true;
}

/** What was met at a hop. */
export interface HopReason {
  readonly at: string;
  readonly reason: string;
}

/** A node's place in the tree, as the operator knows it. */
export interface NodeHandle {
  readonly id: NodeId;
  readonly name: string;
  /** Names of the hops from the first to this one */
  readonly route: readonly string[];
  /** Those of them that were to have a node and are passed as jumps; known when it is up */
  readonly jumps?: readonly HopReason[];
  /** What failed on other ways before it was reached, but for hosts that were dialled directly for a try; known when it is up */
  readonly detours?: readonly HopReason[];
  /**
   * Resolves as soon as frames may be sent to the node: when its boot is on its way, not when it answered. Frames
   * sent before it is up wait at its parent. Rejects with `UnreachableError` as `up` does.
   */
  readonly dispatched: Promise<void>;
  /** Resolves when the node said hello; rejects with UnreachableError. */
  readonly up: Promise<NodeInfo>;
  /** Milliseconds from the dial's start to hello; undefined before. */
  readonly connectMs: number | undefined;
  /** Resolves when the node is gone: undefined after a clean close, else why. Never rejects. */
  readonly gone: Promise<MopError | undefined>;
  call(method: string, args: Value, options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<Value>;
  /**
   * Runs the leaf's wing there: `order` is opaque to the mesh. Events are delivered each once and in order;
   * `onEvent` is awaited before the event is acknowledged. Resolves with the wing's result; rejects with MopError
   * (WING_FAILED, OUT_OF_MEMORY, CANCELLED...), with UnreachableError when the node is lost.
   * `secret`: no node between sees anything of the order, the events and the result. Where there is one, the order
   * waits for the node's hello.
   */
  wing(options: {
    entry: string;
    order: Uint8Array;
    secret?: boolean;
    onEvent: (event: Uint8Array) => void | Promise<void>;
    signal?: AbortSignal;
    memoryMb?: number;
  }): Promise<Uint8Array>;
}

/** A content-addressed thing that the controller can serve. */
export interface BlobSource {
  /** SHA-256, hex */
  readonly hash: string;
  readonly size: number;
  /** Reads the content; called at most once for each direct child that needs it. */
  read(): Promise<Uint8Array>;
  /** The content in Brotli, where it was made beforehand and is shorter; else it is made when the blob is sent */
  readonly packed?: Uint8Array;
}

export interface LinkReport {
  readonly from: string;
  readonly to: string;
  /** Bytes from `from` to `to`, and back, of the whole connection: login, boot and SSH's own included */
  readonly sent: number;
  readonly received: number;
}

export interface Mesh {
  /**
   * The node at the end of a route, grown where missing; a route's shared beginning is reached once. What could not be
   * reached is dialled anew only with `again`.
   */
  reach(route: readonly Hop[], again?: boolean): NodeHandle;
  /** Lets these nodes ask for these blobs (and nothing else). */
  offer(blobs: readonly BlobSource[], to: readonly NodeHandle[]): void;
  /** Sends offered blobs ahead to where they will be needed: one copy over each link. */
  push(hashes: readonly string[], to: readonly NodeHandle[]): void;
  /** Round trip of each hop of a node's route in ms, first hop first. */
  ping(node: NodeHandle): Promise<readonly { from: string; to: string; ms: number }[]>;
  /** Bytes of each link so far; a `close` right behind it waits for the answers. */
  links(): Promise<readonly LinkReport[]>;
  /** Ends every node, deepest first; resolves when all links are closed (at most 5 s). */
  close(): Promise<void>;
}

/** A mesh that also gives the ways themselves, to whoever wants a server's first words without logging in. */
export interface DialingMesh extends Mesh {
  /**
   * Connects to a host's sshd from the end of a route (empty: from here), at most a few times at once to one server;
   * `dialling` is called when it is its turn. The pipe is usable before it is connected. Rejects with UnreachableError when
   * a host of the route can't be reached.
   */
  openPipe(route: readonly Hop[], target: Target, dialling?: () => void): Promise<OpenPipe>;
}

export interface OpenPipe {
  readonly pipe: Duplex;
  /** Bytes that went through it so far */
  bytes(): { readonly sent: number; readonly received: number };
  /** What ended the pipe, as far as is known; asked after a failure. */
  failure(): Promise<MopError | undefined>;
}

/** Why a node can't be reached, and at which hop of the route it ended. */
export interface Unreachable {
  /** Name of the hop where it failed */
  readonly at: string;
  readonly error: MopError;
}

export interface MeshOptions {
  readonly pace: LoginPace;
  readonly prompter?: Prompter;
  /** Short id of this run, for titles and logs */
  readonly run: string;
  /** "alice@laptop", for titles */
  readonly operator: string;
  /** Dials under way at once, per parent. Default 16 */
  readonly dials?: number;
  /** Link heartbeat; default 2000 and 8000 ms */
  readonly heartbeatMs?: number;
  readonly deadAfterMs?: number;
  readonly bootTimeoutMs?: number;
  readonly signal?: AbortSignal;
  /** What may be brought to hosts without Node, by platform; called once, when the first such host is reached */
  readonly runtimes?: () => Promise<RuntimeFiles>;
  /** Where none is kept on a host, none is brought all the same */
  readonly keptRuntimesOnly?: boolean;
  /** Told of each login, hand-off and elevation when it is through or refused */
  readonly onAudit?: OnAudit;
  /** What the operator should see in passing: "b1: Node found at ..., the banner said ...". Text is untrusted. */
  readonly onNotice?: (host: string, text: string) => void;
}

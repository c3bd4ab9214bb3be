import type { SessionState } from "../transport/session-state.js";
import type { NodeId, NodeInfo } from "../transport/types.js";

/**
 * What a controller orders a node to do, and what comes back: the arguments of the channel kinds and methods that
 * the relay program (relay/node) serves. All of it comes from above; a router lets none of it come from below.
 */

/**
 * Channel kind `pipe`: the far end is a TCP connection that this node opens, or a host that it carries a session to. Data
 * is the raw stream.
 */
export interface PipeOrder {
  readonly host: string;
  readonly port: number;
  readonly connectTimeoutMs: number;
  /**
   * true: the node keeps all bytes from the server until `adopt` (up to HANDOFF_KEEP_MAX; past that the pipe stays
   * a pipe and `adopt` is refused).
   */
  readonly keep: boolean;
  /** A session's server connects, not this node: id of the child that could not be started over it (`failed`) */
  readonly through?: NodeId;
}

/** What every order to start a node has. */
export interface StartOrder {
  readonly child: BootOrder;
  /** The command becomes another account, and asks for its password */
  readonly elevation: Elevation | null;
}

/** First `control` message down on a pipe: the session on it is yours. Encoded as a Value. */
export interface AdoptOrder extends StartOrder {
  readonly type: "adopt";
  readonly session: SessionState;
  /** The command to run over the session, as boot/command.ts built it; over a terminal where it is elevated */
  readonly command: string;
}

/**
 * Channel kind `spawn`, and its only `control` message down: a command that this node runs is the way to a child, as
 * `docker exec`. Encoded as a Value.
 */
export interface SpawnOrder extends StartOrder {
  readonly type: "spawn";
  /** Program and arguments; no shell is between, and nothing of it is secret */
  readonly argv: readonly string[];
}

/** What a boot needs that becomes another account. */
export interface Elevation {
  /** Answers the first question; empty: nothing is answered. Overwritten once it was used */
  readonly secret: Uint8Array;
  /** `secret` is sealed to the node that is given the order */
  readonly sealed: boolean;
  /** The question is told by its words ("Password:"), since the program doesn't take ours */
  readonly words: boolean;
}

/** What was sealed to a node (relay/seal/), opened there. */
export interface Opened {
  readonly plain: Uint8Array;
  /** Seals the next answer, for the controller alone */
  seal(answer: Uint8Array): Uint8Array;
}

/** How a node starts and what it is told in its first frame. */
export interface BootOrder {
  readonly id: NodeId;
  /** The inventory's name of the host */
  readonly name: string;
  /** Hex; the boot command was built with it, and marks its own output by it */
  readonly nonce: string;
  /** Process title, "mop relay of alice@laptop, run 3f2a" */
  readonly title: string;
  readonly run: string;
  readonly heartbeatMs: number;
  readonly deadAfterMs: number;
  /** Milliseconds from the command's start to the first frame */
  readonly bootTimeoutMs: number;
  /** SHA-256 of the module that brings the host a Node where it has none (relay/runtime); absent: nothing does */
  readonly bringer?: string;
}

/** `control` message up on an adopted pipe or a `spawn`; after `up` frames flow over the new link and the channel only lives on. */
export type AdoptReport =
  | { readonly type: "authenticated" }
  | { readonly type: "up"; readonly info: NodeInfo }
  /**
   * Of an adopted pipe: the session let us in, but no node came up there. It stays for pipes through it, until the channel
   * is reset, unless it `ended` with that.
   */
  | { readonly type: "failed"; readonly problem: readonly [number, string]; readonly ended: boolean };
// Other failures come as a reset of the channel: AUTH_REFUSED, SSH_DISCONNECTED, HANDOFF_REFUSED, CONNECT_*; those of a
// `spawn` always: NO_NODE, NODE_TOO_OLD, BOOT_FAILED, CORE_CORRUPT, BECOME_REFUSED.

/**
 * Channel kind `wing`: runs a module of the leaf's wing in a worker (relay/wing.ts). Its events come up as messages of
 * relay/event-stream.ts; `control` messages down are Values: a number acknowledges, "cancel" ends the run within 3 s.
 */
export interface WingOrder {
  /** SHA-256 of the module that is the wing's entry, hex */
  readonly entry: string;
  /** The same of the part of the relay program that runs it (relay/runner) */
  readonly runner: string;
  /** Opaque to the node: handed to the wing. Its beginning, when it doesn't fit: the rest comes as `data` messages */
  readonly order: Uint8Array;
  /** Bytes of the order that come behind */
  readonly rest: number;
  /** Old-generation limit of the worker, in MB */
  readonly memoryMb: number;
  /** `order` and what comes behind it are sealed to the node; each item of its events is a sealed answer */
  readonly sealed: boolean;
}

import type { Duplex } from "node:stream";
import type { ErrorName, MopError } from "./errors.js";

/** Any ordered byte stream in both directions: an SSH channel, a child's stdio, a socket, a pipe through a relay. */
export type BytePipe = Duplex;

/** A node's small integer address, given by the controller; the controller itself is 0. */
export type NodeId = number;

/** Data that CBOR (RFC 8949) carries without tags; what RPC arguments, results and messages are made of. */
export type Value =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Value[]
  | { readonly [key: string]: Value | undefined };

/** One message on a channel. `control` messages travel in order with the data, for the channel's own protocol. */
export interface ChannelItem {
  readonly type: "data" | "control";
  readonly body: Uint8Array;
}

/**
 * A flow-controlled, ordered stream of messages between two nodes. Opened by an ancestor only (a node can't
 * open channels to its ancestors or siblings). Message borders are kept from end to end.
 */
export interface Channel {
  readonly id: number;
  readonly peer: NodeId;
  readonly kind: string;
  /** Sends one message of at most MAX_MESSAGE bytes; resolves once credit and the link took it. Rejects with MopError when closed. */
  write(body: Uint8Array): Promise<void>;
  /** As `write`, marked `control`; ordered with the data written before and after it. */
  control(body: Uint8Array): Promise<void>;
  /** No more messages from this side. Messages written before still arrive. */
  end(): void;
  /** Both directions end at once; the other side sees a MopError with this code. */
  reset(code: ErrorName, message?: string): void;
  /**
   * The messages of the other side, in order; ends when it ended, throws its MopError when it reset or the route
   * died. Credit goes back as messages are taken, so a slow reader holds up its own channel only. One reader.
   */
  receive(): AsyncIterable<ChannelItem>;
  /** Resolves when both sides ended, or with the error that closed the channel. Never rejects. */
  readonly closed: Promise<MopError | undefined>;
}

export interface CallOptions {
  /** Milliseconds until the call fails with TIMEOUT; none by default (a lost route fails it anyway). */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface CallContext {
  readonly source: NodeId;
  /** Aborted when the caller cancels, its deadline passes or its route dies. */
  readonly signal: AbortSignal;
}

export type CallHandler = (args: Value, context: CallContext) => Promise<Value> | Value;
export type ChannelHandler = (channel: Channel, args: Value) => void;

/** What one node tells its parent in its first frame. */
export interface NodeInfo {
  readonly protocol: number;
  /** process.version, as "v18.19.0" */
  readonly runtime: string;
  readonly platform: string;
  readonly arch: string;
  readonly pid: number;
  readonly uid: number;
  readonly user: string;
  readonly hostname: string;
  /** Its public key (X25519, 32 bytes), made at its start: secrets are sealed to it. Empty where its Node has none (FIPS) */
  readonly key: Uint8Array;
}

/** Bytes of one link as its upper end counted them, frames and heads included, SSH's own bytes not. */
export interface LinkCounters {
  readonly child: NodeId;
  readonly sent: number;
  readonly received: number;
}

/** What a parent tells a new child in its first frame. */
export interface ParentHello {
  readonly protocol: number;
  readonly id: NodeId;
  /** Short id of the run, for titles and logs */
  readonly run: string;
  readonly heartbeatMs: number;
  readonly deadAfterMs: number;
}

/**
 * A node's place in the mesh: links, routes, calls and channels. The controller, every relay and every leaf has one.
 * Made by `createEndpoint` (endpoint.ts).
 */
export interface Endpoint {
  readonly id: NodeId;
  /**
   * Announces a child that will be attached later: frames for it and for nodes below it wait (bounded; over the
   * bound their channels are reset with NODE_GONE). On the controller, and by a ROUTE frame from above elsewhere.
   */
  expectChild(id: NodeId): void;
  /**
   * Joins a child over a pipe: sends our hello at once, then what waited; resolves with its hello, rejects with
   * MopError when the pipe ends or breaks before. Afterwards a lost link shows in `onGone`.
   */
  attachChild(id: NodeId, pipe: BytePipe, hello: ParentHello): Promise<NodeInfo>;
  /** An expected child that won't come, or an attached one to be cut: everyone who talks to it learns why. */
  dropChild(id: NodeId, error: MopError): void;
  /**
   * Controller only: tells all nodes on the path that `id` will be a child of `parent`; sent ahead of everything
   * that is addressed to `id`.
   */
  addNode(id: NodeId, parent: NodeId): void;
  call(node: NodeId, method: string, args: Value, options?: CallOptions): Promise<Value>;
  open(node: NodeId, kind: string, args: Value): Channel;
  /** Serves a method; handlers stand in an explicit table, unknown names fail with UNKNOWN_METHOD. */
  handle(method: string, handler: CallHandler): void;
  /** Serves channels of a kind opened by an ancestor. */
  serve(kind: string, handler: ChannelHandler): void;
  /** Link-local message to the direct parent or child, outside channels (WANT, LACK, OFFER); bodies are Values. */
  post(neighbour: NodeId, type: LinkMessage, body: Value): void;
  onPost(type: LinkMessage, handler: (neighbour: NodeId, body: Value) => void): void;
  /** A node below (direct or not) is gone. Fires once a node. */
  onGone(handler: (id: NodeId, error: MopError) => void): void;
  /** The direct child under which `id` lies (itself when it is a child); undefined when unknown. */
  childToward(id: NodeId): NodeId | undefined;
  /** Milliseconds of a round trip on the link to a direct child or parent. */
  ping(neighbour: NodeId): Promise<number>;
  counters(): readonly LinkCounters[];
  /** Says goodbye on all links, deepest first by its nature, and closes them. */
  close(reason?: MopError): Promise<void>;
  /** Resolves when the parent's link is gone (never on the controller), with the reason. */
  readonly parentGone: Promise<MopError | undefined>;
}

/** Messages between direct neighbours. `want` and `lack` concern blobs: see relay/blobs.ts. */
export type LinkMessage = "offer" | "want" | "lack";

import { ChannelTable } from "./channels.js";
import { MopError } from "./errors.js";
import { Link } from "./link.js";
import { Neighbour, tooMuchWaits } from "./neighbour.js";
import { type PostHandler, Posts } from "./posts.js";
import type { Ticket } from "./queue.js";
import { refusal } from "./refusal.js";
import { Router, type Way } from "./router.js";
import { Callee, Caller } from "./rpc.js";
import type {
  BytePipe,
  CallHandler,
  CallOptions,
  Channel,
  ChannelHandler,
  Endpoint,
  LinkCounters,
  LinkMessage,
  NodeId,
  NodeInfo,
  ParentHello,
  Value,
} from "./types.js";
import { FrameType } from "./wire/constants.js";
import { type Frame, readU32, u32 } from "./wire/frame.js";
import { encodeGone, readGone } from "./wire/gone.js";
import { encodeNodeInfo, encodeParentHello, readNodeInfo, readParentHello } from "./wire/hello.js";

/** A node below the controller: knows its id and its timing from `hello` on. */
export interface NodeEndpoint extends Endpoint {
  /** The parent's first frame; rejects with MopError when the link ends before. */
  readonly hello: Promise<ParentHello>;
}

/** The controller's id. */
export const ROOT: NodeId = 0;
/** A node's own id until its parent told it. */
export const UNPLACED: NodeId = 0xffff_ffff;

/** How long links may take to end; a parent's patience is longer than its children's. */
const CLOSE_MS = 3000;
const ROOT_CLOSE_MS = 4000;
/** For a child that hasn't said hello: it can't answer. */
const UNBORN_CLOSE_MS = 500;
/** From an attachment's failure on its owner may say why the node won't come (`dropChild`); then we do. */
const ATTACH_FAILED_MS = 2000;

/**
 * A node's place in the mesh. On the controller `{ root: true }`; on every other node over the pipe to its parent:
 * our hello goes out at once. Register handlers before the next tick: frames may be right behind the parent's hello.
 */
export function createEndpoint(options: { readonly root: true }): Endpoint;
export function createEndpoint(options: { readonly parent: BytePipe; readonly info: NodeInfo }): NodeEndpoint;
export function createEndpoint(
  options: { readonly root: true } | { readonly parent: BytePipe; readonly info: NodeInfo },
): Endpoint {
  const node = new Node();
  if ("parent" in options) node.join(options.parent, options.info);
  return node;
}

class Node implements NodeEndpoint {
  readonly hello: Promise<ParentHello>;
  readonly parentGone: Promise<MopError | undefined>;
  readonly #router = new Router(ROOT);
  readonly #children = new Map<NodeId, Neighbour>();
  #parent: Neighbour | undefined;
  readonly #channels: ChannelTable;
  readonly #caller: Caller;
  readonly #callee: Callee;
  readonly #posts = new Posts();
  readonly #goneHandlers: ((id: NodeId, error: MopError) => void)[] = [];
  /** Links to children that ever were; of those that are over the counters only */
  readonly #links = new Map<NodeId, Pick<Link, "sent" | "received">>();
  #settleHello: { resolve: (hello: ParentHello) => void; reject: (error: MopError) => void } | undefined;
  #settleParentGone: (error: MopError | undefined) => void = () => {};

  constructor() {
    const send = (type: number, destination: NodeId, channel: number, body: Uint8Array): void =>
      this.#send(type, 0, destination, channel, body);
    this.#channels = new ChannelTable((...args) => this.#send(...args));
    this.#caller = new Caller(send);
    this.#callee = new Callee(send);
    this.hello = new Promise((resolve, reject) => {
      this.#settleHello = { resolve, reject };
    });
    // Whoever doesn't ask for the hello learns of its absence from `parentGone`.
    this.hello.catch(() => {});
    this.parentGone = new Promise((resolve) => {
      this.#settleParentGone = resolve;
    });
  }

  get id(): NodeId {
    return this.#router.self;
  }

  join(pipe: BytePipe, info: NodeInfo): void {
    this.#router.place(UNPLACED, []);
    const parent = new Neighbour(ROOT, false);
    this.#parent = parent;
    parent.link = new Link({
      pipe,
      queue: parent.queue,
      hello: encodeNodeInfo(info),
      onHello: (body) => {
        const { ancestors, ...hello } = readParentHello(body);
        this.#router.place(hello.id, ancestors);
        parent.link?.startHeartbeat(hello.heartbeatMs, hello.deadAfterMs);
        this.#settleHello?.resolve(hello);
      },
      onFrame: (frame) => this.#fromParent(frame),
      onBye: () => void this.close(),
      onClosed: (error) => void this.#parentLost(error),
    });
  }

  expectChild(id: NodeId): void {
    this.#router.add(id, this.id);
    this.#children.set(id, new Neighbour(id));
  }

  addNode(id: NodeId, parent: NodeId): void {
    if (parent === this.id) {
      this.expectChild(id);
      return;
    }
    this.#router.add(id, parent);
    this.#send(FrameType.ROUTE, 0, parent, 0, u32(id));
  }

  attachChild(id: NodeId, pipe: BytePipe, hello: ParentHello): Promise<NodeInfo> {
    if (!this.#children.has(id) && !this.#router.isGone(id)) this.expectChild(id);
    const child = this.#children.get(id);
    if (!child || child.link) {
      pipe.destroy();
      const why = child ? "is attached already" : "is gone already";
      return Promise.reject(new MopError(child ? "BAD_ARGUMENT" : "NODE_GONE", `Node ${id} ${why}`));
    }
    return new Promise((resolve, reject) => {
      child.rejectAttach = reject;
      const link = new Link({
        pipe,
        queue: child.queue,
        hello: encodeParentHello({ ...hello, id, ancestors: [this.id, ...this.#router.ancestors] }),
        onHello: (body) => {
          const info = readNodeInfo(body);
          child.rejectAttach = undefined;
          link.startHeartbeat(hello.heartbeatMs, hello.deadAfterMs);
          resolve(info);
        },
        onFrame: (frame) => this.#fromChild(id, frame),
        // What ends by a fault is gone, whether or not it leaves
        onBye: (error) => (error ? this.#lose(id, error, true) : link.close(error, CLOSE_MS, true)),
        onClosed: (error) => {
          const why = error ?? new MopError("NODE_GONE", `Node ${id} said goodbye`);
          this.#links.set(id, { sent: link.sent, received: link.received });
          reject(why);
          if (link.up) this.#lose(id, why, true);
          // Its owner may know better why; without a word from there it is gone all the same.
          else child.giveUp = setTimeout(() => this.#lose(id, why, true), ATTACH_FAILED_MS).unref();
        },
      });
      child.link = link;
      this.#links.set(id, link);
      link.wake();
    });
  }

  dropChild(id: NodeId, error: MopError): void {
    const parent = this.#router.parentOf(id);
    if (parent === undefined) return;
    if (parent !== this.id) this.#send(FrameType.GONE, 0, parent, 0, encodeGone(id, error));
    this.#lose(id, error, true);
  }

  call(node: NodeId, method: string, args: Value, options?: CallOptions): Promise<Value> {
    const refused = this.#unreachable(node);
    return refused ? Promise.reject(refused) : this.#caller.call(node, method, args, options);
  }

  open(node: NodeId, kind: string, args: Value): Channel {
    return this.#channels.open(node, kind, args, this.#unreachable(node));
  }

  handle(method: string, handler: CallHandler): void {
    this.#callee.handle(method, handler);
  }

  serve(kind: string, handler: ChannelHandler): void {
    this.#channels.serve(kind, handler);
  }

  post(neighbour: NodeId, type: LinkMessage, body: Value): void {
    const target = this.#neighbour(neighbour);
    if (!target) throw new MopError("NO_ROUTE", `Node ${neighbour} is no neighbour of ${this.id}`);
    const frame = this.#posts.frame(type, target === this.#parent ? "up" : "down", body);
    if (target.send(frame) === "refused") throw tooMuchWaits(neighbour);
  }

  onPost(type: LinkMessage, handler: PostHandler): void {
    this.#posts.on(type, handler);
  }

  onGone(handler: (id: NodeId, error: MopError) => void): void {
    this.#goneHandlers.push(handler);
  }

  childToward(id: NodeId): NodeId | undefined {
    return this.#router.childToward(id);
  }

  ping(neighbour: NodeId): Promise<number> {
    const link = this.#neighbour(neighbour)?.link;
    return (
      link?.ping() ??
      Promise.reject(new MopError("NO_ROUTE", `Node ${neighbour} is not linked to ${this.id}`))
    );
  }

  counters(): readonly LinkCounters[] {
    return [...this.#links].map(([child, { sent, received }]) => ({ child, sent, received }));
  }

  async close(reason?: MopError): Promise<void> {
    await this.#closeChildren(reason, this.#parent ? CLOSE_MS : ROOT_CLOSE_MS);
    // What this node has still to say goes up before its goodbye.
    this.#parent?.link?.close(reason, CLOSE_MS, false);
    await this.#parent?.link?.closed;
  }

  async #closeChildren(reason: MopError | undefined, graceMs: number): Promise<void> {
    const why = reason ?? new MopError("NODE_GONE", "The link was closed");
    const closing: Promise<void>[] = [];
    for (const child of [...this.#children.values()]) {
      if (!child.link) {
        this.#lose(child.id, why, true);
        continue;
      }
      child.link.close(reason, child.link.up ? graceMs : UNBORN_CLOSE_MS, true);
      closing.push(child.link.closed);
    }
    await Promise.all(closing);
  }

  async #parentLost(error: MopError | undefined): Promise<void> {
    const why = error ?? new MopError("LINK_LOST", "The parent said goodbye");
    this.#settleHello?.reject(why);
    this.#channels.fail(undefined, why);
    this.#caller.fail(undefined, why);
    this.#callee.abortAll(why);
    await this.#closeChildren(error, CLOSE_MS);
    this.#settleParentGone(error);
  }

  #neighbour(id: NodeId): Neighbour | undefined {
    return (
      this.#children.get(id) ?? (this.#parent && id === this.#router.ancestors[0] ? this.#parent : undefined)
    );
  }

  #unreachable(node: NodeId): MopError | undefined {
    if (this.#router.isBelow(node)) return undefined;
    if (this.#router.isGone(node)) return new MopError("NODE_GONE", `Node ${node} is gone`);
    return new MopError("NO_ROUTE", `No node ${node} is known below node ${this.id}`);
  }

  /** A frame of our own to another node. */
  #send(
    type: number,
    flags: number,
    destination: NodeId,
    channel: number,
    body: Uint8Array,
    ticket?: Ticket,
  ): void {
    const frame: Frame = { type, flags, destination, source: this.id, channel, body };
    const child = this.#router.childToward(destination);
    const target = child === undefined ? this.#parent : this.#children.get(child);
    if (!target) ticket?.dropped?.();
    else if (target.send(frame, ticket) === "refused") this.#refuse(frame, tooMuchWaits(target.id));
  }

  #fromParent(frame: Frame): void {
    const decision = this.#router.decide("parent", frame);
    switch (decision.kind) {
      case "violation":
        throw decision.error;
      case "local":
        this.#fromAbove(frame);
        break;
      case "drop":
        if (frame.type === FrameType.ROUTE) this.#router.markGone(readU32(frame.body));
        return;
      case "unknown":
        this.#reportUnknown(frame.destination);
        break;
      case "forward": {
        if (frame.type === FrameType.ROUTE) this.#router.add(readU32(frame.body), frame.destination);
        if (frame.type === FrameType.GONE) this.#goneFromAbove(frame);
        if (this.#forward(decision.to, frame) === "refused")
          this.#refuse(frame, tooMuchWaits(frame.destination));
      }
    }
  }

  #fromChild(id: NodeId, frame: Frame): void {
    const decision = this.#router.decide(id, frame);
    if (decision.kind === "violation") throw decision.error;
    if (decision.kind === "drop" || decision.kind === "unknown") return;
    if (frame.type === FrameType.GONE) {
      this.#goneFromBelow(id, frame);
      return;
    }
    if (decision.kind === "local") {
      this.#fromBelow(id, frame);
      return;
    }
    const ticket = this.#children.get(id)?.forwardTicket(frame);
    if (!ticket) throw new MopError("TOO_MANY", `Node ${id} sends faster than it can be passed on`);
    this.#forward(decision.to, frame, ticket);
  }

  #forward(to: Way, frame: Frame, ticket?: Ticket): "queued" | "refused" | "dropped" {
    const target = to === "parent" ? this.#parent : this.#children.get(to);
    return target?.send(frame, ticket) ?? "dropped";
  }

  /** A frame for this node from an ancestor or the parent. */
  #fromAbove(frame: Frame): void {
    switch (frame.type) {
      case FrameType.ROUTE:
        this.#routed(readU32(frame.body));
        break;
      case FrameType.GONE:
        this.#goneFromAbove(frame);
        break;
      case FrameType.CALL:
      case FrameType.CANCEL:
        this.#callee.accept(frame);
        break;
      case FrameType.OFFER:
      case FrameType.LACK:
        this.#posts.deliver(this.#router.ancestors[0] ?? ROOT, frame);
        break;
      default:
        this.#channels.fromAbove(frame);
    }
  }

  #routed(id: NodeId): void {
    // A child may have been attached by an order that overtook the announcement.
    if (!this.#children.has(id)) this.expectChild(id);
  }

  /** A frame for this node from a node below, through the child `from`. */
  #fromBelow(from: NodeId, frame: Frame): void {
    switch (frame.type) {
      case FrameType.RESULT:
      case FrameType.FAIL:
        this.#caller.answered(frame);
        break;
      case FrameType.WANT:
        this.#posts.deliver(from, frame);
        break;
      default:
        this.#channels.fromBelow(frame);
    }
  }

  #goneFromAbove(frame: Frame): void {
    const { id, error } = readGone(frame.body);
    this.#lose(id, error, false);
  }

  #goneFromBelow(from: NodeId, frame: Frame): void {
    const { id, error } = readGone(frame.body);
    if (this.#router.isGone(id)) return;
    let above = this.#router.parentOf(id);
    while (above !== undefined && above !== frame.source) above = this.#router.parentOf(above);
    if (above === undefined)
      throw new MopError(
        "BAD_SOURCE",
        `Node ${frame.source} reports the end of ${id}, which does not lie below it`,
      );
    const removed = this.#remove(id, error);
    if (this.#children.has(from)) this.#parent?.sendBehind(frame, removed);
  }

  /** From above to a node that was never announced: the sender has an older picture than we. */
  #reportUnknown(id: NodeId): void {
    this.#router.markGone(id);
    const error = new MopError("NO_ROUTE", `Node ${this.id} knows no node ${id}`);
    this.#send(FrameType.GONE, 0, ROOT, 0, encodeGone(id, error));
  }

  /** A node is over: its link is closed, all who talk to it or to nodes below it from here learn why. */
  #lose(id: NodeId, error: MopError, tellParent: boolean): void {
    const child = this.#children.get(id);
    const removed = this.#remove(id, error);
    if (removed.size === 0) return;
    if (tellParent && this.#parent?.link?.open)
      this.#parent.sendBehind(
        {
          type: FrameType.GONE,
          flags: 0,
          destination: ROOT,
          source: this.id,
          channel: 0,
          body: encodeGone(id, error),
        },
        removed,
      );
    if (!child) return;
    clearTimeout(child.giveUp);
    child.rejectAttach?.(error);
    if (child.link) child.link.close(error, CLOSE_MS, true);
    else child.queue.clear();
  }

  #remove(id: NodeId, error: MopError): ReadonlySet<NodeId> {
    const removed = new Set(this.#router.remove(id));
    if (removed.size === 0) return removed;
    this.#children.delete(id);
    this.#caller.fail(removed, error);
    this.#channels.fail(removed, error);
    for (const node of removed) for (const handler of this.#goneHandlers) handler(node, error);
    return removed;
  }

  /** A frame that finds no room on its way down is answered in the name of its destination. */
  #refuse(frame: Frame, error: MopError): void {
    const reply = refusal(frame, error);
    if (!reply) return;
    if (reply.destination === this.id) queueMicrotask(() => this.#fromBelow(reply.source, reply));
    else this.#parent?.send(reply);
  }
}

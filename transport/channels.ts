import { FlowChannel, guard } from "./channel.js";
import { asMopError, MopError } from "./errors.js";
import type { Ticket } from "./queue.js";
import type { Channel, ChannelHandler, NodeId, Value } from "./types.js";
import { FrameType, MAX_CHANNELS, MAX_MESSAGE } from "./wire/constants.js";
import type { Frame } from "./wire/frame.js";
import { encodeProblem } from "./wire/problem.js";
import { decodeValue, encodeValue } from "./wire/value.js";

export type SendOnChannel = (
  type: number,
  flags: number,
  destination: NodeId,
  channel: number,
  body: Uint8Array,
  ticket?: Ticket,
) => void;

/** The channels of one node: those that it opened to nodes below, and those that ancestors opened to it. */
export class ChannelTable {
  readonly #send: SendOnChannel;
  readonly #opened = new Map<number, FlowChannel>();
  readonly #accepted = new Map<string, FlowChannel>();
  readonly #handlers = new Map<string, ChannelHandler>();
  #last = 0;

  constructor(send: SendOnChannel) {
    this.#send = send;
  }

  serve(kind: string, handler: ChannelHandler): void {
    this.#handlers.set(kind, handler);
  }

  /** Opens a channel; with `refused` it is over from the start. */
  open(node: NodeId, kind: string, args: Value, refused?: MopError): Channel {
    const body = encodeValue([kind, args]);
    if (body.length > MAX_MESSAGE)
      throw new MopError(
        "FRAME_TOO_LARGE",
        `The arguments of a ${kind} channel have ${body.length} bytes, at most ${MAX_MESSAGE}`,
      );
    const id = this.#nextId();
    const channel = this.#create(id, node, kind, () => this.#opened.delete(id));
    this.#opened.set(id, channel);
    if (refused) channel.fail(refused);
    else this.#send(FrameType.OPEN, 0, node, id, body);
    return channel;
  }

  /** A frame of a channel that this node opened. Those of forgotten channels are late, not wrong. */
  fromBelow(frame: Frame): void {
    const channel = this.#opened.get(frame.channel);
    if (channel?.peer === frame.source) channel.accept(frame);
  }

  fromAbove(frame: Frame): void {
    const key = `${frame.source} ${frame.channel}`;
    if (frame.type === FrameType.OPEN) this.#accept(key, frame);
    else this.#accepted.get(key)?.accept(frame);
  }

  /** Fails the channels to these nodes; all channels when none are given. */
  fail(nodes: ReadonlySet<NodeId> | undefined, error: MopError): void {
    for (const channel of [...this.#opened.values(), ...(nodes ? [] : this.#accepted.values())])
      if (!nodes || nodes.has(channel.peer)) channel.fail(error);
  }

  #accept(key: string, frame: Frame): void {
    try {
      if (this.#accepted.has(key)) throw new MopError("PROTOCOL", `Channel ${frame.channel} is open already`);
      if (this.#accepted.size >= MAX_CHANNELS)
        throw new MopError("TOO_MANY", `More than ${MAX_CHANNELS} channels`);
      const [kind, args] = readOpen(frame.body);
      const handler = this.#handlers.get(kind);
      if (!handler) throw new MopError("UNKNOWN_METHOD", `This node serves no channels of the kind ${kind}`);
      const channel = this.#create(frame.channel, frame.source, kind, () => this.#accepted.delete(key));
      this.#accepted.set(key, channel);
      guard(channel, () => handler(channel, args));
    } catch (error) {
      this.#send(FrameType.RESET, 0, frame.source, frame.channel, encodeProblem(asMopError(error)));
    }
  }

  #create(id: number, peer: NodeId, kind: string, forget: () => void): FlowChannel {
    return new FlowChannel(id, peer, kind, {
      send: (type, flags, body, ticket) => this.#send(type, flags, peer, id, body, ticket),
      now: () => performance.now(),
      forget,
    });
  }

  #nextId(): number {
    do this.#last = (this.#last + 1) >>> 0;
    while (this.#last === 0 || this.#opened.has(this.#last));
    return this.#last;
  }
}

function readOpen(body: Uint8Array): [string, Value] {
  const open = decodeValue(body);
  if (Array.isArray(open)) {
    const [kind, args] = open as readonly Value[];
    if (typeof kind === "string" && args !== undefined) return [kind, args];
  }
  throw new MopError("PROTOCOL", "An OPEN is [kind, arguments]");
}

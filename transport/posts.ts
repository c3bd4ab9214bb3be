import { MopError } from "./errors.js";
import { linkFrame } from "./link.js";
import type { LinkMessage, NodeId, Value } from "./types.js";
import { FRAME_RULES, FrameType } from "./wire/constants.js";
import type { Frame } from "./wire/frame.js";
import { decodeValue, encodeValue } from "./wire/value.js";

const TYPES = {
  offer: FrameType.OFFER,
  want: FrameType.WANT,
  lack: FrameType.LACK,
} as const satisfies Record<LinkMessage, number>;

export type PostHandler = (neighbour: NodeId, body: Value) => void;

/** Messages between neighbours, each a frame of its own type: who takes them, and which way they go. */
export class Posts {
  readonly #handlers = new Map<number, PostHandler>();

  on(type: LinkMessage, handler: PostHandler): void {
    this.#handlers.set(TYPES[type], handler);
  }

  /** Throws NOT_ALLOWED for a message that doesn't go that way. */
  frame(type: LinkMessage, way: "up" | "down", body: Value): Frame {
    if (FRAME_RULES.get(TYPES[type])?.direction !== way)
      throw new MopError("NOT_ALLOWED", `${type} may not be sent ${way}`);
    return linkFrame(TYPES[type], encodeValue(body));
  }

  deliver(neighbour: NodeId, frame: Frame): void {
    this.#handlers.get(frame.type)?.(neighbour, decodeValue(frame.body));
  }
}

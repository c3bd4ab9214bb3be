import { MopError } from "./errors.js";
import type { Link } from "./link.js";
import { OutgoingQueue, type Ticket } from "./queue.js";
import type { NodeId } from "./types.js";
import { FRAME_COST, FrameType, MAX_FORWARDING, MAX_WAITING } from "./wire/constants.js";
import { type Frame, frameSize } from "./wire/frame.js";
import { encodeProblem } from "./wire/problem.js";

export const tooMuchWaits = (id: NodeId): MopError =>
  new MopError("NODE_GONE", `More than ${MAX_WAITING} bytes wait for node ${id}, which is not up yet`);

/** A direct child or the parent: what waits for it, and its link once there is one. */
export class Neighbour {
  readonly id: NodeId;
  readonly queue = new OutgoingQueue();
  link: Link | undefined;
  /** Settles the promise of `attachChild` while the child's hello is awaited */
  rejectAttach: ((error: MopError) => void) | undefined;
  /** Channels, by source and number, that found no room while the link wasn't up */
  readonly #refused = new Set<string>();
  /** Running after a failed attachment */
  giveUp: NodeJS.Timeout | undefined;
  /** Bytes that came in from here and wait in other queues to be sent on */
  #forwarding = 0;

  /** The parent is waited for; a child that asks and doesn't read the answers is cut. */
  readonly #mustRead: boolean;

  constructor(id: NodeId, mustRead = true) {
    this.id = id;
    this.#mustRead = mustRead;
  }

  /**
   * Queues a frame. `refused`: the link isn't up and too much waits for it; the sender must be told. `dropped`: a
   * frame of a channel that was refused before.
   */
  send(frame: Frame, ticket?: Ticket): "queued" | "refused" | "dropped" {
    const flow = `${frame.source} ${frame.channel}`;
    if (this.#refused.has(flow) && frame.type >= FrameType.DATA && frame.type <= FrameType.CONTROL) {
      ticket?.dropped?.();
      return "dropped";
    }
    if (!this.link && this.queue.bytes + frameSize(frame) > MAX_WAITING) {
      if (frame.type >= FrameType.OPEN && frame.type <= FrameType.CONTROL) this.#refuse(flow, frame);
      ticket?.dropped?.();
      return "refused";
    }
    const { link } = this;
    if (link && this.#mustRead && this.queue.controlCost > MAX_FORWARDING) {
      ticket?.dropped?.();
      queueMicrotask(() =>
        link.fail(new MopError("TOO_MANY", `Node ${this.id} does not read what it is sent`)),
      );
      return "dropped";
    }
    this.queue.push(frame, ticket);
    link?.wake();
    return "queued";
  }

  /** What stands in the queue of this channel already must not look whole to the child. */
  #refuse(flow: string, frame: Frame): void {
    this.#refused.add(flow);
    if (frame.type !== FrameType.OPEN)
      this.queue.push({
        ...frame,
        type: FrameType.RESET,
        flags: 0,
        body: encodeProblem(tooMuchWaits(this.id)),
      });
  }

  sendBehind(frame: Frame, sources: ReadonlySet<NodeId>): void {
    this.queue.pushBehind(frame, sources);
    this.link?.wake();
  }

  /** A ticket for a frame that came in from here; undefined when too much of it waits already. */
  forwardTicket(frame: Frame): Ticket | undefined {
    const size = frameSize(frame) + FRAME_COST;
    if (this.#forwarding + size > MAX_FORWARDING) return undefined;
    this.#forwarding += size;
    const done = (): void => {
      this.#forwarding -= size;
    };
    return { taken: done, dropped: done };
  }
}

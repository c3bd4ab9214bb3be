import { FRAME_COST, FrameType } from "./wire/constants.js";
import { type Frame, frameSize } from "./wire/frame.js";

/** Told of what happens to a queued frame: a link's account of forwarded bytes, a writer that waits. */
export interface Ticket {
  /** The frame left for the pipe. */
  taken?(): void;
  /** The frame was thrown away: its link is gone or closing. */
  dropped?(): void;
}

interface Entry {
  readonly frame: Frame;
  readonly size: number;
  readonly ticket: Ticket | undefined;
}

/** A frame that must not leave before what stands in these flows. */
interface Held extends Entry {
  readonly behind: Set<string>;
}

/** Frames whose order within their channel matters. WINDOW may overtake them. */
const IN_ORDER: ReadonlySet<number> = new Set([
  FrameType.OPEN,
  FrameType.DATA,
  FrameType.CONTROL,
  FrameType.END,
  FrameType.RESET,
]);

const flowOf = (frame: Frame): string => `${frame.destination} ${frame.source} ${frame.channel}`;

/**
 * What waits to leave over one link. Two lanes: control, in order, always first; and one flow for each channel,
 * taking turns frame by frame. An OPEN stands in the control lane, behind the ROUTE to its node and before its data.
 */
export class OutgoingQueue {
  #control: Entry[] = [];
  readonly #flows = new Map<string, Entry[]>();
  readonly #held: Held[] = [];
  #bytes = 0;
  #controlCost = 0;
  #flowsClosed = false;

  /** Bytes queued. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes in the control lane, which no credit bounds, with what each frame costs. */
  get controlCost(): number {
    return this.#controlCost;
  }

  get empty(): boolean {
    return this.#control.length === 0 && this.#flows.size === 0;
  }

  push(frame: Frame, ticket?: Ticket): void {
    if (this.#flowsClosed && IN_ORDER.has(frame.type)) {
      ticket?.dropped?.();
      return;
    }
    const entry: Entry = { frame, size: frameSize(frame), ticket };
    this.#bytes += entry.size;
    if (!IN_ORDER.has(frame.type) || frame.type === FrameType.OPEN) {
      this.#toControl(entry);
      return;
    }
    const key = flowOf(frame);
    const flow = this.#flows.get(key);
    if (flow) flow.push(entry);
    else this.#flows.set(key, [entry]);
  }

  /** Queues a frame that says that nothing more comes from `sources`: it leaves behind all that they sent. */
  pushBehind(frame: Frame, sources: ReadonlySet<number>, ticket?: Ticket): void {
    const behind = new Set<string>();
    for (const [key, entries] of this.#flows) if (sources.has(entries[0]!.frame.source)) behind.add(key);
    if (behind.size === 0) {
      this.push(frame, ticket);
      return;
    }
    const held: Held = { frame, size: frameSize(frame), ticket, behind };
    this.#bytes += held.size;
    this.#held.push(held);
  }

  /** The next frame to leave, or undefined. */
  shift(): Frame | undefined {
    const control = this.#control.shift();
    if (control) this.#controlCost -= control.size + FRAME_COST;
    const entry = control ?? this.#shiftFlow();
    if (!entry) return undefined;
    this.#bytes -= entry.size;
    entry.ticket?.taken?.();
    return entry.frame;
  }

  /** Throws away what channels have queued or will queue; a link that closes still sends its control frames. */
  dropFlows(): void {
    this.#flowsClosed = true;
    for (const entries of this.#flows.values()) for (const entry of entries) this.#discard(entry);
    this.#flows.clear();
    for (const held of this.#held.splice(0)) this.#toControl(held);
  }

  clear(): void {
    this.dropFlows();
    for (const entry of this.#control.splice(0)) this.#discard(entry);
    this.#controlCost = 0;
  }

  #toControl(entry: Entry): void {
    this.#control.push(entry);
    this.#controlCost += entry.size + FRAME_COST;
  }

  #discard(entry: Entry): void {
    this.#bytes -= entry.size;
    entry.ticket?.dropped?.();
  }

  #shiftFlow(): Entry | undefined {
    for (const [key, entries] of this.#flows) {
      const entry = entries.shift()!;
      // Behind all others: a Map keeps the order of insertion.
      this.#flows.delete(key);
      if (entries.length > 0) this.#flows.set(key, entries);
      else this.#release(key);
      return entry;
    }
    return undefined;
  }

  #release(key: string): void {
    for (const held of [...this.#held]) {
      held.behind.delete(key);
      if (held.behind.size > 0) continue;
      this.#held.splice(this.#held.indexOf(held), 1);
      this.#toControl(held);
    }
  }
}

import { MopError } from "../transport/errors.js";
import { MAX_EVENT } from "./wing.js";

/**
 * The event stream of a run, leaf to controller: numbered from 1, acknowledged end to end, each item delivered once
 * and in order. Two state machines without I/O. A route that is built anew gets what was not acknowledged once more
 * (`EventSender.resume` with what `EventReceiver.resume` says); relays in between promise nothing.
 *
 * A message: the number of its first item (u32, big-endian), then items: kind u8, length u16, bytes. An item that
 * doesn't fit goes on in the next message, which begins with the same number; all its pieces but the last are marked
 * CONTINUED. Down go Values: a number acknowledges all items up to it.
 */

/** What an item is. The last one of a stream is RESULT or FAILURE (`[code, message]`). */
export const ItemKind = { EVENT: 0, RESULT: 1, FAILURE: 2 } as const;
const CONTINUED = 128;

export interface StreamItem {
  readonly kind: number;
  readonly body: Uint8Array;
}

/** What a leaf keeps for a controller that has not acknowledged it, in bytes; a full window holds up `emit`. */
export const EVENT_WINDOW = 1 << 21;
/** What an event takes of the window on top of its length, so that their number is bounded too. */
export const EVENT_COST = 512;

const MESSAGE_HEAD = 4;
const ITEM_HEAD = 3;
/** A message is sent when nothing more would fit this many bytes. */
const MESSAGE_BYTES = 32 * 1024;
/** A sealed item is so much longer. */
export const SEAL_BYTES = 16;
const MAX_ITEM = MAX_EVENT + SEAL_BYTES;
/** Pieces of one item: the first may be small, those behind fill a message each. */
const MAX_PIECES = MAX_EVENT / MESSAGE_BYTES + 3;

/** The leaf's end: keeps every item until it is acknowledged. */
export class EventSender {
  #kept: StreamItem[] = [];
  #acknowledged = 0;
  /** Items of `#kept` that were sent, and bytes of the next one */
  #sent = 0;
  #offset = 0;
  /** The last number that was ever sent, over this way or one before it */
  #highest = 0;

  /** The window is its writer's to keep: an item past it is kept all the same. */
  push(item: StreamItem): void {
    this.#kept.push(item);
  }

  /** The next message to send, if there is one. */
  take(): Uint8Array | undefined {
    const parts: Uint8Array[] = [];
    const first = this.#acknowledged + this.#sent + 1;
    let room = MESSAGE_BYTES - MESSAGE_HEAD;
    for (let item = this.#kept[this.#sent]; item && room > ITEM_HEAD; item = this.#kept[this.#sent]) {
      const left = item.body.length - this.#offset;
      const length = Math.min(left, room - ITEM_HEAD);
      parts.push(
        Uint8Array.of(item.kind | (length < left ? CONTINUED : 0), length >> 8, length),
        item.body.subarray(this.#offset, this.#offset + length),
      );
      room -= ITEM_HEAD + length;
      if (length < left) this.#offset += length;
      else {
        this.#highest = Math.max(this.#highest, this.#acknowledged + ++this.#sent);
        this.#offset = 0;
      }
    }
    if (parts.length === 0) return undefined;
    const head = Buffer.alloc(MESSAGE_HEAD);
    head.writeUInt32BE(first);
    return Buffer.concat([head, ...parts]);
  }

  /** All items up to number `last` were delivered: what that frees of the window. Throws PROTOCOL. */
  acknowledge(last: number): number {
    const count = last - this.#acknowledged;
    if (last > this.#highest)
      throw new MopError("PROTOCOL", `Event ${last} is acknowledged, but was not sent yet`);
    if (count <= 0) return 0;
    this.#acknowledged += count;
    this.#sent -= count;
    // One that came over the old way, while it is sent again over the new one
    if (this.#sent < 0) this.#sent = this.#offset = 0;
    return this.#kept.splice(0, count).reduce((freed, { body }) => freed + body.length + EVENT_COST, 0);
  }

  /**
   * The way to the receiver is a new one, and it has all items up to `last`: what lies behind is sent (again).
   * Returns as `acknowledge` does.
   */
  resume(last: number): number {
    const freed = this.acknowledge(last);
    this.#sent = 0;
    this.#offset = 0;
    return freed;
  }
}

/** The controller's end. */
export class EventReceiver {
  /** Number of the last item that came whole */
  #last = 0;
  /** Beginning of the item behind it */
  #begun: Uint8Array[] = [];
  #begunBytes = 0;

  /** The items that a message completes, in order; those that came before are dropped. Throws PROTOCOL. */
  accept(message: Uint8Array): StreamItem[] {
    const items: StreamItem[] = [];
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
    if (message.length < MESSAGE_HEAD) throw malformed("without a number");
    let number = view.getUint32(0);
    for (let at = MESSAGE_HEAD; at < message.length; ) {
      if (at + ITEM_HEAD > message.length) throw malformed("with half an item");
      const kind = view.getUint8(at);
      const end = at + ITEM_HEAD + view.getUint16(at + 1);
      if (end > message.length) throw malformed("with half an item");
      if (number > this.#last + 1)
        throw new MopError("PROTOCOL", `Event ${number} came, but event ${this.#last + 1} did not`);
      if (number === this.#last + 1) this.#piece(message.subarray(at + ITEM_HEAD, end), kind, items);
      if ((kind & CONTINUED) === 0) number++;
      else if (end < message.length) throw malformed("that goes on behind an item's beginning");
      at = end;
    }
    return items;
  }

  /** The way to the sender is a new one: the number of the last item that came; a beginning comes once more. */
  resume(): number {
    this.#begun = [];
    this.#begunBytes = 0;
    return this.#last;
  }

  #piece(bytes: Uint8Array, kind: number, items: StreamItem[]): void {
    this.#begunBytes += bytes.length;
    if (this.#begunBytes > MAX_ITEM)
      throw new MopError("PROTOCOL", `An event has more than ${MAX_EVENT} bytes`);
    // Empty ones cost no bytes, but each is kept
    if (this.#begun.length === MAX_PIECES) throw malformed("that tears an item into too many pieces");
    this.#begun.push(bytes);
    if ((kind & CONTINUED) !== 0) return;
    if (kind > ItemKind.FAILURE) throw malformed("with an item of an unknown kind");
    items.push({ kind, body: this.#begun.length === 1 ? bytes : Buffer.concat(this.#begun) });
    this.#last++;
    this.resume();
  }
}

const malformed = (how: string) => new MopError("PROTOCOL", `A message of events ${how}`);

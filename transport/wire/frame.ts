import { MopError } from "../errors.js";
import { byteStringHead } from "./cbor-sequence.js";
import { FRAME_RULES, FrameType, HEADER_BYTES, WindowFlag } from "./constants.js";

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly destination: number;
  readonly source: number;
  /** Channel or call number, given by the opener; 0 where neither is meant */
  readonly channel: number;
  readonly body: Uint8Array;
}

export const EMPTY: Uint8Array = new Uint8Array(0);

/** A frame as it stands on the wire: byte string head and header, then the body (not copied). */
export function frameParts(frame: Frame): [Buffer, Uint8Array] {
  const head = byteStringHead(HEADER_BYTES + frame.body.length);
  const start = Buffer.allocUnsafe(head.length + HEADER_BYTES);
  head.copy(start);
  let at = head.length;
  at = start.writeUInt8(frame.type, at);
  at = start.writeUInt8(frame.flags, at);
  at = start.writeUInt32BE(frame.destination, at);
  at = start.writeUInt32BE(frame.source, at);
  start.writeUInt32BE(frame.channel, at);
  return [start, frame.body];
}

export function encodeFrame(frame: Frame): Buffer {
  return Buffer.concat(frameParts(frame));
}

/** Bytes that a frame takes on the wire. */
export function frameSize(frame: Frame): number {
  const item = HEADER_BYTES + frame.body.length;
  return item + (item < 24 ? 1 : item < 0x100 ? 2 : item < 0x10000 ? 3 : 5);
}

/**
 * Reads one item of the sequence and checks what the header alone tells: known type, flags, body length.
 * Throws MopError (PROTOCOL, FRAME_TOO_LARGE).
 */
export function decodeFrame(item: Uint8Array): Frame {
  if (item.length < HEADER_BYTES)
    throw new MopError("PROTOCOL", `A frame of ${item.length} bytes is shorter than its header`);
  const view = new DataView(item.buffer, item.byteOffset, item.byteLength);
  const frame: Frame = {
    type: view.getUint8(0),
    flags: view.getUint8(1),
    destination: view.getUint32(2),
    source: view.getUint32(6),
    channel: view.getUint32(10),
    body: item.subarray(HEADER_BYTES),
  };
  const rule = FRAME_RULES.get(frame.type);
  if (rule === undefined) throw new MopError("PROTOCOL", `Unknown frame type ${frame.type}`);
  if (frame.body.length > rule.maxBody)
    throw new MopError(
      "FRAME_TOO_LARGE",
      `${rule.name} of ${frame.body.length} bytes, at most ${rule.maxBody}`,
    );
  if (frame.body.length < rule.minBody)
    throw new MopError("PROTOCOL", `${rule.name} of ${frame.body.length} bytes, at least ${rule.minBody}`);
  const flags = frame.type === FrameType.WINDOW ? WindowFlag.PROBE | WindowFlag.ECHO : 0;
  if ((frame.flags & ~flags) !== 0)
    throw new MopError("PROTOCOL", `${rule.name} with unknown flags ${frame.flags}`);
  return frame;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Bodies of ROUTE, PING, PONG and WINDOW: one number. Their length was checked with the header. */
export function readU32(body: Uint8Array): number {
  return new DataView(body.buffer, body.byteOffset, body.byteLength).getUint32(0);
}

import { MopError } from "../../transport/errors.js";

/** Message numbers of RFC 4250, 4.1.2 and RFC 5656 that a relay sends or tells apart. */
export const DISCONNECT = 1;
export const UNIMPLEMENTED = 3;
export const EXT_INFO = 7;
export const KEXINIT = 20;
export const NEWKEYS = 21;
export const ECDH_INIT = 30;
export const ECDH_REPLY = 31;
export const USERAUTH_FAILURE = 51;
export const USERAUTH_SUCCESS = 52;
export const USERAUTH_BANNER = 53;
export const GLOBAL_REQUEST = 80;
export const REQUEST_FAILURE = 82;
export const CHANNEL_OPEN = 90;
export const CHANNEL_OPEN_CONFIRMATION = 91;
export const CHANNEL_OPEN_FAILURE = 92;
export const CHANNEL_WINDOW_ADJUST = 93;
export const CHANNEL_DATA = 94;
export const CHANNEL_EXTENDED_DATA = 95;
export const CHANNEL_EOF = 96;
export const CHANNEL_CLOSE = 97;
export const CHANNEL_REQUEST = 98;
export const CHANNEL_FAILURE = 100;

/** The session can't go on: the server broke the protocol, or something on the way did. */
export const broken = (message: string): MopError => new MopError("SSH_PROTOCOL", message);

/** A message that the server may not send as things stand. */
export const outOfPlace = (type: number): MopError =>
  broken(`the server sent an SSH message ${type} out of place`);

/** A `uint32` of RFC 4251, 5. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A `string` of RFC 4251, 5: length, then content. */
export const lengthPrefixed = (content: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(content as Uint8Array);
  return Buffer.concat([uint32(bytes.length), bytes]);
};

/** A message: its number, then fields; numbers become uint32, booleans a byte, the rest a length-prefixed string. */
export function message(type: number, ...fields: (number | boolean | string | Uint8Array)[]): Buffer {
  return Buffer.concat([
    Uint8Array.of(type),
    ...fields.map((field) =>
      typeof field === "number"
        ? uint32(field)
        : typeof field === "boolean"
          ? Uint8Array.of(Number(field))
          : lengthPrefixed(field),
    ),
  ]);
}

/** Reads a message field by field; each refuses to read past the end. */
export interface FieldReader {
  uint32(): number;
  boolean(): boolean;
  bytes(): Buffer;
  text(): string;
}

export function readFields(payload: Buffer, offset = 1): FieldReader {
  let at = offset;
  const take = (count: number) => {
    if (at + count > payload.length) throw broken(`SSH message ${payload[0]} is cut short`);
    at += count;
    return payload.subarray(at - count, at);
  };
  const reader: FieldReader = {
    uint32: () => take(4).readUInt32BE(0),
    boolean: () => take(1)[0] !== 0,
    bytes: () => take(reader.uint32()),
    text: () => reader.bytes().toString(),
  };
  return reader;
}

/** What a server wrote about a cause, fit for a one-line message. */
export const peerText = (text: string): string => text.replace(/[^ -~]+/g, " ").slice(0, 200);

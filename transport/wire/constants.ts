/**
 * Numbers of the wire: frozen, a test compares them with docs/protocol.md. A change of meaning raises
 * PROTOCOL_VERSION, which both sides say in their first frame.
 */
export const PROTOCOL_VERSION = 1;

export const FrameType = {
  HELLO: 1,
  PING: 2,
  PONG: 3,
  BYE: 4,
  ROUTE: 5,
  GONE: 6,
  OPEN: 16,
  DATA: 17,
  WINDOW: 18,
  END: 19,
  RESET: 20,
  CONTROL: 21,
  CALL: 32,
  RESULT: 33,
  FAIL: 34,
  CANCEL: 35,
  OFFER: 48,
  WANT: 49,
  LACK: 50,
} as const;
export type FrameName = keyof typeof FrameType;
export type FrameNumber = (typeof FrameType)[FrameName];

/** Header: type u8, flags u8, destination u32, source u32, channel u32; big-endian. */
export const HEADER_BYTES = 14;
/** Most bytes of a frame's body. */
export const MAX_FRAME = 256 * 1024;
/** Most bytes of one item of the sequence: header and body. */
export const MAX_ITEM = HEADER_BYTES + MAX_FRAME;
/** Most bytes of one message on a channel. */
export const MAX_MESSAGE = 64 * 1024;
/** Credit that both sides of a new channel have, in bytes. */
export const INITIAL_WINDOW = 256 * 1024;
/** Windows grow to the bandwidth-delay product, up to this. */
export const MAX_WINDOW = 16 * 1024 * 1024;
/** What a message costs in credit on top of its length, so that empty ones are bounded too. */
export const MESSAGE_COST = 16;
/** Bytes that wait at a parent for one child whose link isn't up yet. */
export const MAX_WAITING = 4 * 1024 * 1024;
/** Bytes from one link that may wait at a router to be sent on; a neighbour that floods past it is cut. */
export const MAX_FORWARDING = 32 * 1024 * 1024;
/** What a frame that waits to be sent on counts for on top of its length, so that small ones are bounded too. */
export const FRAME_COST = 256;
/** Calls that one node serves at a time. */
export const MAX_CALLS = 1024;
/** Channels that one node accepts at a time. */
export const MAX_CHANNELS = 4096;
/** Nesting of a Value. */
export const MAX_DEPTH = 32;
/** Keys of one map of a Value. */
export const MAX_KEYS = 65_535;
/** Bytes of an error's message on the wire; the rest is cut off. */
export const MAX_ERROR_TEXT = 2048;

/** Flags of WINDOW; all other frames have none. */
export const WindowFlag = {
  /** Answer this at once with ECHO: the sender measures a round trip. */
  PROBE: 1,
  ECHO: 2,
} as const;

/** `down`: from parent to child only. */
export type Direction = "down" | "up" | "both";
/** `link`: between neighbours, all addresses 0. `path`: every node on its way reads it. `end`: routers don't look in. */
export type Scope = "link" | "path" | "end";

export interface FrameRule {
  readonly name: FrameName;
  readonly direction: Direction;
  readonly scope: Scope;
  readonly minBody: number;
  readonly maxBody: number;
}

const rule = (
  name: FrameName,
  direction: Direction,
  scope: Scope,
  minBody: number,
  maxBody: number,
): FrameRule => ({ name, direction, scope, minBody, maxBody });

/** Who may send what, and how large; checked at every router from the header alone. */
export const FRAME_RULES: ReadonlyMap<number, FrameRule> = new Map(
  [
    rule("HELLO", "both", "link", 1, 8192),
    rule("PING", "both", "link", 4, 4),
    rule("PONG", "both", "link", 4, 4),
    rule("BYE", "both", "link", 1, 4096),
    rule("ROUTE", "down", "path", 4, 4),
    rule("GONE", "both", "path", 1, 4096),
    rule("OPEN", "down", "end", 1, MAX_MESSAGE),
    rule("DATA", "both", "end", 0, MAX_MESSAGE),
    rule("WINDOW", "both", "end", 4, 4),
    rule("END", "both", "end", 0, 0),
    rule("RESET", "both", "end", 1, 4096),
    rule("CONTROL", "both", "end", 0, MAX_MESSAGE),
    rule("CALL", "down", "end", 1, MAX_FRAME),
    rule("RESULT", "up", "end", 1, MAX_FRAME),
    rule("FAIL", "up", "end", 1, 4096),
    rule("CANCEL", "down", "end", 0, 0),
    rule("OFFER", "down", "link", 1, MAX_FRAME),
    rule("WANT", "up", "link", 1, MAX_FRAME),
    rule("LACK", "down", "link", 1, MAX_FRAME),
  ].map((r) => [FrameType[r.name], r]),
);

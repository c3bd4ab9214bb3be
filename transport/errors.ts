/**
 * One numbered code per cause, on the wire and in the program alike. Numbers are frozen (docs/protocol.md, a
 * test compares them); callers match `code`, never the text.
 */
export const ErrorCode = {
  // The wire itself
  PROTOCOL: 1,
  FRAME_TOO_LARGE: 2,
  VERSION: 3,
  BAD_SOURCE: 4,
  NOT_ALLOWED: 5,
  NO_ROUTE: 6,
  NODE_GONE: 7,
  LINK_LOST: 8,
  TIMEOUT: 9,
  CANCELLED: 10,
  UNKNOWN_METHOD: 11,
  BAD_ARGUMENT: 12,
  INTERNAL: 13,
  CHANNEL_CLOSED: 14,
  WINDOW_EXCEEDED: 15,
  TOO_MANY: 16,
  // Blobs
  BLOB_NOT_OFFERED: 32,
  BLOB_CORRUPT: 33,
  BLOB_TOO_LARGE: 34,
  BLOB_UNAVAILABLE: 35,
  // Reaching an address
  NAME_NOT_FOUND: 48,
  CONNECT_REFUSED: 49,
  CONNECT_TIMEOUT: 50,
  CONNECT_UNREACHABLE: 51,
  // SSH
  SSH_PROTOCOL: 64,
  HOST_KEY_UNKNOWN: 65,
  HOST_KEY_CHANGED: 66,
  HOST_KEY_REVOKED: 67,
  AUTH_REFUSED: 68,
  SSH_CHANNEL_REFUSED: 69,
  SSH_DISCONNECTED: 70,
  KEY_UNREADABLE: 71,
  PASSWORD_COMMAND: 72,
  FORWARDING_REFUSED: 73,
  // Hand-off
  HANDOFF_REFUSED: 80,
  HANDOFF_IMPOSSIBLE: 81,
  // Boot
  NO_NODE: 96,
  NODE_TOO_OLD: 97,
  BOOT_FAILED: 98,
  CORE_CORRUPT: 99,
  BECOME_REFUSED: 100,
  // The leaf's wing
  WING_FAILED: 112,
  OUT_OF_MEMORY: 113,
} as const;

export type ErrorName = keyof typeof ErrorCode;
export type ErrorNumber = (typeof ErrorCode)[ErrorName];

const names = new Map<number, ErrorName>(
  Object.entries(ErrorCode).map(([name, number]) => [number, name as ErrorName]),
);

/** The name of a code that came over the wire; `INTERNAL` for a number that this version doesn't know. */
export function errorName(code: number): ErrorName {
  return names.get(code) ?? "INTERNAL";
}

/**
 * What every floor throws for causes that a caller may want to tell apart. `message` is one sentence that says
 * what was being done and why it failed, without secrets and without a stack.
 */
export class MopError extends Error {
  override readonly name = "MopError";
  readonly code: ErrorName;

  constructor(code: ErrorName, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Any thrown value as a MopError; what is none becomes `fallback`, with the original as its cause. */
export function asMopError(error: unknown, fallback: ErrorName = "INTERNAL"): MopError {
  if (error instanceof MopError) return error;
  return new MopError(fallback, error instanceof Error ? error.message : String(error), { cause: error });
}

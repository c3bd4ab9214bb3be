import { asMopError, type ErrorName, MopError } from "../../transport/errors.js";
import type { Unreachable } from "./types.js";

/** A node can't be reached: `at` is the hop of its route where it ended, which may be the node itself. */
export class UnreachableError extends MopError implements Unreachable {
  readonly at: string;
  readonly error: MopError;

  constructor(at: string, error: MopError) {
    super(error.code, error.message.startsWith(`${at}: `) ? error.message : `${at}: ${error.message}`, {
      cause: error,
    });
    this.at = at;
    this.error = error;
  }
}

/** Any failure at a hop; one that names its hop already keeps it. */
export function unreachable(at: string, error: unknown, fallback: ErrorName = "INTERNAL"): UnreachableError {
  return error instanceof UnreachableError ? error : new UnreachableError(at, asMopError(error, fallback));
}

/** What a link is closed with when the other side says what no node of ours does. */
const BREACHES: ReadonlySet<ErrorName> = new Set<ErrorName>([
  "PROTOCOL",
  "FRAME_TOO_LARGE",
  "BAD_SOURCE",
  "NOT_ALLOWED",
  "TOO_MANY",
]);

export const isBreach = ({ code }: MopError): boolean => BREACHES.has(code);

/** A rule that a node broke, told of its host. */
export const breach = (name: string, error: MopError): MopError =>
  new MopError(
    error.code,
    `the node on ${name} broke the protocol and was cut off (${error.message}): don't trust that host before you know why`,
    { cause: error },
  );

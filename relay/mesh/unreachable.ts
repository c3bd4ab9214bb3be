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

import { MopError } from "../transport/errors.js";

/** A function that was called on a host threw there. `code` is WING_FAILED. */
export class RemoteError extends MopError {
  /** The host's name */
  readonly host: string;
  /** The stack on the host, where it sent one; for logs, not for operators */
  readonly remoteStack: string | undefined;

  constructor(host: string, message: string, remoteStack?: string) {
    super("WING_FAILED", `${host}: ${message}`);
    this.host = host;
    this.remoteStack = remoteStack;
  }
}

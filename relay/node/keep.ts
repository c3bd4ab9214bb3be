import { MopError } from "../../transport/errors.js";

/** Most bytes of a server that a pipe keeps for a hand-off. */
export const HANDOFF_KEEP_MAX = 1 << 20;

/** The server's bytes of one pipe, kept until its session is handed over or there are too many. */
export interface Kept {
  add(chunk: Buffer): void;
  /** The bytes behind `consumed`, once; throws HANDOFF_REFUSED. */
  take(consumed: number): Buffer;
}

export function createKept(keep: boolean): Kept {
  let chunks: Buffer[] | undefined = keep ? [] : undefined;
  let total = 0;
  return {
    add(chunk) {
      total += chunk.length;
      if (total > HANDOFF_KEEP_MAX) chunks = undefined;
      chunks?.push(chunk);
    },
    take(consumed) {
      const all = chunks;
      chunks = undefined;
      if (!all)
        throw new MopError(
          "HANDOFF_REFUSED",
          "the pipe no longer has the server's bytes, or never kept them",
        );
      if (consumed > total)
        throw new MopError("HANDOFF_REFUSED", `the session claims ${consumed} bytes, but ${total} came`);
      return Buffer.concat(all).subarray(consumed);
    },
  };
}

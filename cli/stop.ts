import { setMaxListeners } from "node:events";
import { MopError } from "../transport/errors.js";
import { interruptSignal } from "./interrupt.js";

/** What ends a run before its time: Ctrl-C, SIGTERM, --timeout. */
export interface Stop {
  readonly signal: AbortSignal;
  /** True once the time of --timeout was up */
  readonly late: boolean;
  release(): void;
}

/** `timeout` in seconds; undefined: as long as it takes. */
export function createStop(timeout: number | undefined, note: (text: string) => void): Stop {
  const interrupt = interruptSignal(() => note("interrupted; ending on every host (again: at once)"));
  const clock = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  if (timeout !== undefined)
    timer = setTimeout(() => {
      const message = `the run was cancelled, since it was not done within ${timeout} s (--timeout)`;
      note(message);
      clock.abort(new MopError("CANCELLED", message));
    }, timeout * 1000);
  const signal = AbortSignal.any([interrupt.signal, clock.signal]);
  // Every host of the run listens to it: Node would take that for a leak, and say so to the operator
  setMaxListeners(0, signal);
  return {
    signal,
    get late() {
      return clock.signal.aborted && !interrupt.signal.aborted;
    },
    release() {
      clearTimeout(timer);
      interrupt.release();
    },
  };
}

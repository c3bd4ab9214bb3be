import { abortReason, Refusal, throwIfAborted } from "../errors.js";

/** How long work that was told to stop may take to clean up, in ms. A cancelled wing has 2 s for all. */
const CLEANUP = { late: 5_000, cancelled: 1_500 } as const;

/**
 * Runs work that `outer` and a timeout (seconds; undefined: none) can stop. It is waited for, so that nothing goes on
 * behind the next resource's back, but not for ever. Work that ends well in spite of being told to stop did end well.
 */
export async function withDeadline<T>(
  outer: AbortSignal,
  seconds: number | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  throwIfAborted(outer);
  const controller = new AbortController();
  const late =
    seconds === undefined ? undefined : new Refusal(`it took longer than its timeout of ${seconds} s`);
  let cause: Error | undefined;
  let cleanup: NodeJS.Timeout | undefined;
  let giveUp: (error: Error) => void = () => undefined;
  const gone = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  const stop = (reason: Error) => {
    if (cause) return;
    cause = reason;
    controller.abort(reason);
    cleanup = setTimeout(() => giveUp(reason), reason === late ? CLEANUP.late : CLEANUP.cancelled);
  };
  const cancel = () => stop(abortReason(outer));
  outer.addEventListener("abort", cancel, { once: true });
  const timer = late && seconds !== undefined ? setTimeout(() => stop(late), seconds * 1000) : undefined;
  try {
    return await Promise.race([work(controller.signal), gone]);
  } catch (error) {
    throw cause ?? error;
  } finally {
    outer.removeEventListener("abort", cancel);
    clearTimeout(timer);
    clearTimeout(cleanup);
  }
}

/** Waits so many ms, or until the signal is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener("abort", over, { once: true });
    if (signal.aborted) over();
  });
}

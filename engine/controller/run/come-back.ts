import type { NodeHandle } from "../../../relay/mesh/types.js";
import { MopError } from "../../../transport/errors.js";
import { type Loss, lossOf } from "./host-state.js";

/** Milliseconds that a host may take to go down. */
const DOWN_MS = 120_000;
/** Milliseconds between two tries to reach it again. */
const RETRY_MS = 3000;

export interface ComeBack {
  readonly host: string;
  /** The node that is about to go down with its host */
  readonly node: NodeHandle;
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Dials the same route anew */
  again(): NodeHandle;
}

/** Waits until a host that restarts is down and back over the same route. Gives its new node, or why there is none. */
export async function comeBack({ host, node, waitMs, signal, again }: ComeBack): Promise<NodeHandle | Loss> {
  const lost = (text: string): Loss => ({ at: host, error: new MopError("TIMEOUT", `${host}: ${text}`) });
  const end = performance.now() + waitMs;
  if (!(await within(node.gone, Math.min(DOWN_MS, waitMs), signal)))
    return lost("it was told to restart and did not go down");
  for (;;) {
    if (signal?.aborted) return { at: host, error: new MopError("CANCELLED", "The run was interrupted") };
    const next = again();
    const last = await next.up.then(
      () => undefined,
      (error: unknown) => lossOf(error, host),
    );
    if (!last) return next;
    if (performance.now() + RETRY_MS > end)
      return lost(
        `it did not come back in ${waitMs / 1000} s after it was restarted (${last.error.message})`,
      );
    await within(new Promise(() => undefined), RETRY_MS, signal);
  }
}

/** Whether the promise came before the time was over or the run was cancelled. */
function within(promise: Promise<unknown>, ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const over = (came: boolean) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      resolve(came);
    };
    const stop = () => over(false);
    const timer = setTimeout(stop, ms);
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) stop();
    void promise.then(() => over(true));
  });
}

import { setMaxListeners } from "node:events";
import { moment } from "../../../relay/mesh/limits.js";
import type { NodeHandle } from "../../../relay/mesh/types.js";
import { afterReading } from "../../../transport/after-reading.js";
import { asMopError, MopError } from "../../../transport/errors.js";
import type { LeafResult } from "../../vocabulary/order.js";
import { type HostState, type Loss, lossOf } from "./host-state.js";
import { type CheckedEvent, readEvent, readResult } from "./leaf-events.js";

export type WingOutcome =
  | { readonly kind: "result"; readonly result: LeafResult }
  | { readonly kind: "unreachable"; readonly loss: Loss }
  | { readonly kind: "lost"; readonly error: MopError };

export interface WingRun {
  readonly entry: string;
  readonly order: Uint8Array;
  /** It goes sealed, and what is answered comes so */
  readonly secret?: boolean;
  readonly onEvent: (event: NonNullable<CheckedEvent>) => void | Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/** How long a cancelled leaf may take to end its children before it is given up. */
const CANCEL_PATIENCE_MS = 4000;

/**
 * Sends an order to a host and follows it to its end. It goes out as soon as frames can be sent to the node, not when
 * the node has answered. Never rejects.
 */
export async function runWing(host: HostState, node: NodeHandle, run: WingRun): Promise<WingOutcome> {
  const announced = host.connected(node);
  announced.catch(() => undefined);
  const stop = cancelled(run.signal);
  try {
    await Promise.race([node.dispatched, stop.now]);
    const wing = node.wing({
      entry: run.entry,
      order: run.order,
      ...(run.secret ? { secret: true } : {}),
      ...(run.signal ? { signal: run.signal } : {}),
      onEvent: async (bytes) => {
        await announced;
        const event = readEvent(bytes);
        if (event) await run.onEvent(event);
      },
    });
    // A node that never comes up may leave the wing waiting: whichever ends first tells.
    const unreached = announced.then(() => new Promise<never>(() => undefined));
    const bytes = await Promise.race([wing, unreached, stop.late]);
    await announced;
    return { kind: "result", result: readResult(bytes) };
  } catch (error) {
    const loss = await Promise.race([
      announced.then(
        () => goneBy(node, host.name),
        (reason: unknown) => lossOf(reason, host.name),
      ),
      stop.now.catch(() => undefined),
      // A lost node's promises settle in no certain order.
      moment(),
    ]);
    return loss ? { kind: "unreachable", loss } : { kind: "lost", error: asMopError(error) };
  } finally {
    stop.clear();
  }
}

/** The loss of a node that was up; stays pending while the node lives, whatever its wing ended with. */
async function goneBy(node: NodeHandle, name: string): Promise<Loss> {
  const error = await node.gone;
  return lossOf(error ?? new MopError("NODE_GONE", `${name}: the node has ended`), name);
}

function cancelled(signal: AbortSignal | undefined) {
  let inTime = () => {};
  let onAbort = () => {};
  const reason = () =>
    signal?.reason instanceof MopError ? signal.reason : new MopError("CANCELLED", "The run was interrupted");
  const now = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(reason());
  });
  const late = now.catch(
    () =>
      new Promise<never>((_resolve, reject) => {
        inTime = afterReading(CANCEL_PATIENCE_MS, () => reject(reason()));
      }),
  );
  // Each host of a run listens to the one signal; Node warns of more than ten.
  if (signal) setMaxListeners(0, signal);
  for (const promise of [now, late]) promise.catch(() => undefined);
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  return {
    now,
    late,
    clear() {
      inTime();
      signal?.removeEventListener("abort", onAbort);
    },
  };
}

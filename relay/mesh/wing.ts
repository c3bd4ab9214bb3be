import { setMaxListeners } from "node:events";
import { afterReading } from "../../transport/after-reading.js";
import { asMopError, MopError } from "../../transport/errors.js";
import type { Channel, Endpoint, Value } from "../../transport/types.js";
import { readProblem } from "../../transport/wire/problem.js";
import { encodeValue } from "../../transport/wire/value.js";
import { EventReceiver, ItemKind, type StreamItem } from "../event-stream.js";
import type { WingOrder } from "../orders.js";
import type { Place } from "./place.js";
import type { Runners } from "./runner.js";
import { isCarried, type Sealed, type SealFor } from "./seal.js";
import type { NodeHandle } from "./types.js";

type WingOptions = Parameters<NodeHandle["wing"]>[0];

export interface WingTools {
  readonly sealFor: SealFor;
  readonly runners: Runners;
}

/** Old-generation limit of a role, in MB, where the caller names none. */
const MEMORY_MB = 512;
/** The order's bytes in the channel's first frame; more comes behind. */
const PIECE = 60 * 1024;
/** Delivered events are acknowledged after so many ms, or when there are so many of them. */
const ACK_MS = 20;
const ACK_EVENTS = 256;
/** Milliseconds until a cancelled wing that says nothing is given up; it has 2500 itself. */
const CANCEL_MS = 3500;

/** `NodeHandle.wing`: the order goes out as soon as frames can be sent to the node. */
export async function runWing(
  endpoint: Endpoint,
  place: Place,
  { entry, order: plain, secret = false, onEvent, signal, memoryMb = MEMORY_MB }: WingOptions,
  { sealFor, runners }: WingTools,
): Promise<Uint8Array> {
  // One signal may stand over the wings of many hosts; Node warns of more than ten listeners.
  if (signal) setMaxListeners(0, signal);
  // Before the order, which names it: both wait for the same
  const runner = runners.bring(place);
  await orAborted(place.dispatched.promise, signal);
  const sealed = secret && isCarried(place) ? await orAborted(sealFor(place, plain), signal) : undefined;
  const order = sealed?.bytes ?? plain;
  const channel = endpoint.open(place.id, "wing", {
    entry,
    runner,
    order: order.subarray(0, PIECE),
    rest: Math.max(0, order.length - PIECE),
    memoryMb,
    sealed: sealed !== undefined,
  } satisfies WingOrder as unknown as Value);
  // That a message didn't leave shows where the channel is read
  for (let at = PIECE; at < order.length; at += PIECE)
    void channel.write(order.subarray(at, at + PIECE)).catch(() => {});

  const stop = stopper(channel, signal);
  const acknowledge = acknowledger(channel);
  let broken = false;
  const take = async (event: Uint8Array) => {
    // What comes behind an event that could not be taken is not wanted either
    if (broken) return;
    try {
      await onEvent(event);
    } catch (error) {
      broken = true;
      stop.cancel(asMopError(error));
    }
  };
  try {
    const receiver = new EventReceiver();
    for await (const { type, body } of channel.receive()) {
      if (type !== "data") continue;
      for (const came of receiver.accept(body)) {
        const item = sealed ? opened(place, sealed, came) : came;
        if (item.kind === ItemKind.FAILURE) throw readProblem(item.body);
        if (item.kind === ItemKind.RESULT) {
          if (stop.why) throw stop.why;
          return item.body;
        }
        await Promise.race([take(item.body), stop.givenUp]);
        acknowledge.delivered();
      }
    }
    throw new MopError("WING_FAILED", `${place.name}: the role's events ended without its result`);
  } catch (error) {
    // A channel knows that it was reset; the place knows which node of the route was lost
    const cause = stop.why ?? place.failure ?? asMopError(error);
    channel.reset(cause.code, cause.message);
    throw cause;
  } finally {
    stop.clear();
    acknowledge.clear();
    // Says that all was delivered: the node forgets the run
    channel.end();
  }
}

/** An item as the node meant it. A failure may be older than what it is sealed with; nothing else is taken in clear. */
function opened(place: Place, sealed: Sealed, item: StreamItem): StreamItem {
  try {
    return { kind: item.kind, body: sealed.open(item.body) };
  } catch (error) {
    if (item.kind === ItemKind.FAILURE) return item;
    throw new MopError("PROTOCOL", `${place.name}: ${asMopError(error).message}`);
  }
}

/** Cancels a wing once; one that doesn't end then is given up. */
function stopper(channel: Channel, signal: AbortSignal | undefined) {
  let why: MopError | undefined;
  let inTime = () => {};
  let giveUp: (error: MopError) => void;
  const givenUp = new Promise<never>((_resolve, reject) => {
    giveUp = reject;
  });
  givenUp.catch(() => {});
  const cancel = (error: MopError) => {
    if (why) return;
    why = error;
    channel.control(encodeValue("cancel")).catch(() => {});
    inTime = afterReading(CANCEL_MS, () => {
      channel.reset("CANCELLED", error.message);
      giveUp(error);
    });
  };
  const onAbort = () => cancel(interrupted(signal));
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  return {
    cancel,
    givenUp,
    get why() {
      return why;
    },
    clear() {
      inTime();
      signal?.removeEventListener("abort", onAbort);
    },
  };
}

/** Tells the node in batches how much was delivered. */
function acknowledger(channel: Channel) {
  let last = 0;
  let told = 0;
  let timer: NodeJS.Timeout | undefined;
  const tell = () => {
    clearTimeout(timer);
    timer = undefined;
    told = last;
    channel.control(encodeValue(last)).catch(() => {});
  };
  return {
    delivered() {
      last++;
      if (last - told >= ACK_EVENTS) tell();
      else timer ??= setTimeout(tell, ACK_MS);
    },
    clear: () => clearTimeout(timer),
  };
}

const interrupted = (signal: AbortSignal | undefined) =>
  signal?.reason instanceof MopError
    ? signal.reason
    : new MopError("CANCELLED", "The run was interrupted", { cause: signal?.reason });

/** As the promise, but no longer than the signal lets it wait. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(interrupted(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

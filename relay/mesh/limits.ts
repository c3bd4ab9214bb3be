import { afterReading } from "../../transport/after-reading.js";
import { MopError } from "../../transport/errors.js";
import { createGate, type Gate } from "../gate.js";

/** One gate a key, made when first asked for. */
export function createGates(places: number): (key: string) => Gate {
  const gates = new Map<string, Gate>();
  return (key) => {
    let gate = gates.get(key);
    if (!gate) {
      gate = createGate(places);
      gates.set(key, gate);
    }
    return gate;
  };
}

/**
 * Milliseconds to wait before try number `tries` (from 1) at a server that drops connections because too many are at
 * their login: doubling from half a second, spread so that those who were dropped together don't come back together.
 */
export function backOff(tries: number, random: number): number {
  return Math.min(500 * 2 ** (tries - 1), 8000) * (0.5 + random);
}

/**
 * Milliseconds in which what follows from a failure shows, in no certain order: a better reason, the loss of a node above.
 */
const MOMENT_MS = 50;

/** A moment, and the reading of all that came in until its end. */
export const moment = (): Promise<undefined> =>
  new Promise((resolve) => afterReading(MOMENT_MS, () => resolve(undefined)));

/** Resolves after `ms`; rejects with CANCELLED. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new MopError("CANCELLED", "the dial was given up"));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

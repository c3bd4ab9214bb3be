import { MopError } from "./node/shared.js";

/** Lets so many through at a time, in the order that they came. */
export interface Gate {
  /** Resolves with what gives the place back (once); rejects with CANCELLED when the signal is aborted. */
  enter(signal?: AbortSignal): Promise<() => void>;
}

export function createGate(places: number): Gate {
  let free = places;
  const waiting: (() => void)[] = [];
  return {
    async enter(signal) {
      if (free > 0 && waiting.length === 0) free--;
      else
        await new Promise<void>((resolve, reject) => {
          const admitted = () => {
            signal?.removeEventListener("abort", gone);
            resolve();
          };
          const gone = () => {
            waiting.splice(waiting.indexOf(admitted), 1);
            reject(new MopError("CANCELLED", "the dial was given up while it waited for its turn"));
          };
          if (signal?.aborted) {
            reject(new MopError("CANCELLED", "the dial was given up"));
            return;
          }
          waiting.push(admitted);
          signal?.addEventListener("abort", gone, { once: true });
        });
      let left = false;
      return () => {
        if (left) return;
        left = true;
        const next = waiting.shift();
        if (next) next();
        else free++;
      };
    },
  };
}

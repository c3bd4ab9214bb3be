import { asMopError } from "../../transport/errors.js";
import type { Endpoint } from "../../transport/types.js";
import type { RunningWing } from "../runner/run-wing.js";
import type { LoadPart } from "./part.js";
import type { Unseal } from "./seal.js";
import { readWingOrder } from "./wing-order.js";

export interface WingPort {
  readonly endpoint: Endpoint;
  /** What a wing left to the next one */
  kept?: unknown;
  readonly blobs: {
    get(hash: string): Promise<Uint8Array>;
    prefetch(hashes: readonly string[]): Promise<void>;
  };
  readonly load: LoadPart;
  readonly unseal: Unseal;
}

/** The wings of a node. */
export interface Wings {
  /** Resolves when none runs any more, their children included */
  idle(): Promise<void>;
  /** At the process's exit: no child of a role outlives it. */
  killAll(): void;
}

/** Serves channels of the kind `wing`. What runs them (relay/runner) is a part, since relays run none. */
export function serveWings(port: WingPort): Wings {
  const starting = new Set<Promise<void>>();
  const running = new Set<RunningWing>();
  port.endpoint.serve("wing", (channel, args) => {
    const order = readWingOrder(args);
    const whole = port
      .load<typeof import("../runner/run-wing.js")>(order.runner)
      .then(async ({ runWing }) => {
        const wing = runWing(port, channel, order);
        running.add(wing);
        await wing.over;
        running.delete(wing);
      })
      .catch((error: unknown) => {
        const { code, message } = asMopError(error, "WING_FAILED");
        channel.reset(code, message);
      })
      .finally(() => starting.delete(whole));
    starting.add(whole);
  });
  return {
    async idle() {
      await Promise.all(starting);
    },
    killAll() {
      for (const wing of running) wing.kill();
    },
  };
}

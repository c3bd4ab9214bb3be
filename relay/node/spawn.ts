import type { Duplex } from "node:stream";
import { asMopError } from "../../transport/errors.js";
import { spawnPiped } from "../boot/spawn.js";
import type { SpawnOrder } from "../orders.js";
import { type JoinPort, joinChild } from "./join.js";
import { bad, readSpawnOrder } from "./read-orders.js";
import type { Unseal } from "./seal.js";

/** Serves channels of the kind `spawn`: orders come from above only, the endpoint sees to that. */
export function serveSpawns(port: JoinPort, unseal: Unseal): void {
  port.endpoint.serve("spawn", async (channel) => {
    let ordered = false;
    try {
      for await (const { body } of channel.receive()) {
        const sealed = readSpawnOrder(body);
        if (ordered) throw bad("a command runs on this channel");
        ordered = true;
        const order = await opened(sealed, unseal);
        let running: Duplex | undefined;
        let over = false;
        void joinChild(port, channel, order, {
          run(edit) {
            // Given up while what it needs was on its way
            if (over) throw bad("it was given up");
            const spawned = spawnPiped(order.argv.map(edit));
            running = spawned.pipe;
            return spawned;
          },
          close() {
            over = true;
            running?.destroy();
          },
        });
      }
    } catch (error) {
      const { code, message } = asMopError(error, "BOOT_FAILED");
      channel.reset(code, message);
    }
  });
}

/** With the password as it is to be given. */
async function opened(order: SpawnOrder, unseal: Unseal): Promise<SpawnOrder> {
  const { elevation } = order;
  if (!elevation?.sealed) return order;
  const { plain } = await unseal(elevation.secret);
  return { ...order, elevation: { ...elevation, secret: plain } };
}

import type { Duplex } from "node:stream";
import { asMopError } from "../../transport/errors.js";
import { spawnPiped } from "../boot/spawn.js";
import { type JoinPort, joinChild } from "./join.js";
import { bad, readSpawnOrder } from "./read-orders.js";

/** Serves channels of the kind `spawn`: orders come from above only, the endpoint sees to that. */
export function serveSpawns(port: JoinPort): void {
  port.endpoint.serve("spawn", async (channel) => {
    let ordered = false;
    try {
      for await (const { body } of channel.receive()) {
        const order = readSpawnOrder(body);
        if (ordered) throw bad("a command runs on this channel");
        ordered = true;
        let running: Duplex | undefined;
        void joinChild(port, channel, order, {
          run(edit) {
            const { child, pipe, exit } = spawnPiped(order.argv.map(edit));
            running = pipe;
            return { pipe, exit, onStderr: (take) => child.stderr.on("data", take) };
          },
          authenticated: Promise.resolve(),
          close: () => running?.destroy(),
        });
      }
    } catch (error) {
      const { code, message } = asMopError(error, "BOOT_FAILED");
      channel.reset(code, message);
    }
  });
}

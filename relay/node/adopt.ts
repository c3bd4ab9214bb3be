import type { Duplex } from "node:stream";
import type { Channel } from "../../transport/types.js";
import type { AdoptOrder } from "../orders.js";
import { adoptSession } from "../session/adopt.js";
import { type JoinPort, joinChild, type LinkBytes } from "./join.js";

/** Carries on the session on `socket` and starts a node over it. */
export async function adopt(
  port: JoinPort,
  channel: Channel,
  socket: Duplex & LinkBytes,
  replay: Buffer,
  order: AdoptOrder,
): Promise<void> {
  const { session: state, command, child, elevation } = order;
  const session = adoptSession(socket, replay, state, { name: child.name });
  port.links.set(child.id, socket);
  socket.on("close", () => {
    const { bytesWritten, bytesRead } = socket;
    if (port.links.get(child.id) === socket) port.links.set(child.id, { bytesWritten, bytesRead });
  });
  return joinChild(port, channel, order, {
    run(edit) {
      let take = (_chunk: Buffer) => {};
      const { pipe, exit } = session.exec(edit(command), (chunk) => take(chunk), elevation !== null);
      return {
        pipe,
        exit,
        onStderr: (to) => {
          take = to;
        },
      };
    },
    authenticated: session.authenticated,
    keep() {
      if (!session.over) port.sessions.set(child.id, session);
      void session.closed.then((error) => {
        port.sessions.delete(child.id);
        if (error) channel.reset(error.code, error.message);
      });
      return !session.over;
    },
    close: () => session.close(),
  });
}

import type { Duplex } from "node:stream";
import { asMopError, MopError } from "../../transport/errors.js";
import type { SessionState } from "../../transport/session-state.js";
import type { Channel } from "../../transport/types.js";
import type { PipeOrder } from "../orders.js";
import { wipeSessionState } from "../session/state.js";
import { adopt } from "./adopt.js";
import { connectError, connectTo } from "./connect.js";
import type { JoinPort, LinkBytes } from "./join.js";
import { createKept, type Kept } from "./keep.js";
import { bad, readAdoptOrder, readPipeOrder } from "./read-orders.js";

/** Serves channels of the kind `pipe`: orders come from above only, the endpoint sees to that. */
export function servePipes(port: JoinPort): void {
  port.endpoint.serve("pipe", (channel, args) => {
    try {
      const order = readPipeOrder(args);
      void runPipe(port, channel, order, dial(port, order));
    } catch (error) {
      const { code, message } = asMopError(error, "BAD_ARGUMENT");
      channel.reset(code, message);
    }
  });
}

/** Our own TCP connection, or one that a server makes whose session we carry. */
type Wire = Duplex & LinkBytes & { readonly connecting?: boolean };

function dial({ sessions }: JoinPort, order: PipeOrder): Wire {
  if (!order.through) return connectTo(order);
  const session = sessions.get(order.through);
  if (!session) throw bad("through names no session");
  return session.exec(order, () => {}).pipe;
}

/** Largest piece that is sent up at once; a channel's messages are bounded. */
const PIECE = 32 * 1024;

async function runPipe(port: JoinPort, channel: Channel, order: PipeOrder, socket: Wire): Promise<void> {
  const kept = createKept(order.keep);
  const up = sendUp(channel, socket, kept);
  let adopted = false;
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (adopted) return;
    const { code, message } =
      error instanceof MopError ? error : connectError(error, `${order.host}:${order.port}`);
    channel.reset(code, message);
  });
  void channel.closed.then(() => {
    if (!adopted) socket.destroy();
  });
  try {
    for await (const { type, body } of channel.receive()) {
      if (adopted) throw new MopError("HANDOFF_REFUSED", "the session on this pipe was handed over already");
      if (type === "data") {
        if (!socket.write(body) && !socket.connecting) await drained(socket);
        continue;
      }
      const adoption = readAdoptOrder(body);
      const replay = takeReplay(kept, adoption.session);
      adopted = true;
      up.stop();
      void adopt(port, channel, socket, replay, adoption);
      socket.resume();
    }
    if (!adopted) socket.end();
  } catch (error) {
    const { code, message } = asMopError(error, "PROTOCOL");
    channel.reset(code, message);
    socket.destroy();
  }
}

/** What the session has not consumed; its keys are of no use where that is refused. */
function takeReplay(kept: Kept, session: SessionState): Buffer {
  try {
    return kept.take(session.consumed);
  } catch (error) {
    wipeSessionState(session);
    throw error;
  }
}

/** The server's bytes to whoever ordered the pipe, as fast as that side reads. */
function sendUp(channel: Channel, socket: Wire, kept: Kept): { stop(): void } {
  const take = async (chunk: Buffer) => {
    kept.add(chunk);
    socket.pause();
    try {
      for (let at = 0; at < chunk.length; at += PIECE) await channel.write(chunk.subarray(at, at + PIECE));
      socket.resume();
    } catch {
      // The channel's end is seen by `channel.closed`
    }
  };
  const end = () => channel.end();
  socket.on("data", take);
  socket.on("end", end);
  return {
    stop() {
      socket.removeListener("data", take);
      socket.removeListener("end", end);
    },
  };
}

function drained(socket: Wire): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.removeListener("drain", done);
      socket.removeListener("close", done);
      resolve();
    };
    socket.on("drain", done);
    socket.on("close", done);
  });
}

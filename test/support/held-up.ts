/** A process that gets no time to run, as on a busy machine: what comes in meanwhile lies behind timers that are due. */
import { once } from "node:events";
import net from "node:net";

/** Calls `begin`, gets no time for `ms`, and then reads `text`, which came in meanwhile over a socket. */
export async function heldUp(
  ms: number,
  begin: () => void,
  text: string,
  take: (bytes: Buffer) => void,
): Promise<void> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  const [[peer]] = (await Promise.all([once(server, "connection"), once(socket, "connect")])) as [
    [net.Socket],
    unknown,
  ];
  server.close();
  socket.on("data", take);
  const closed = once(socket, "close");
  // The next phase of the event loop is that of the timers
  await new Promise(setImmediate);
  begin();
  peer.end(text);
  for (const until = performance.now() + ms; performance.now() < until; );
  await closed;
}

/** A process that gets no time to run, as on a busy machine: what comes in meanwhile lies behind timers that are due. */
import { once } from "node:events";
import net from "node:net";

/** The two ends of a connection: what is written to one lies before the other, though the process stands still. */
export async function connection(): Promise<[net.Socket, net.Socket]> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  const [[peer]] = (await Promise.all([once(server, "connection"), once(socket, "connect")])) as [
    [net.Socket],
    unknown,
  ];
  server.close();
  return [socket, peer];
}

/** From here on the next phase of the event loop is that of the timers. */
export const beforeTimers = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The process gets no time to run. */
export function standStill(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

/** Calls `begin`, gets no time for `ms`, and then reads `text`, which came in meanwhile over a socket. */
export async function heldUp(
  ms: number,
  begin: () => void,
  text: string,
  take: (bytes: Buffer) => void,
): Promise<void> {
  const [socket, peer] = await connection();
  socket.on("data", take);
  const closed = once(socket, "close");
  await beforeTimers();
  begin();
  peer.end(text);
  standStill(ms);
  await closed;
}

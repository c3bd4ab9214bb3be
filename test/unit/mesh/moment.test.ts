import { once } from "node:events";
import net from "node:net";
import { expect, test } from "vitest";
import { moment } from "../../../relay/mesh/limits.js";

const beBusyFor = (ms: number) => {
  for (const until = performance.now() + ms; performance.now() < until; );
};

test("moment() of a process that is held up for longer ends behind what came in meanwhile", async () => {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  try {
    const [[peer]] = (await Promise.all([once(server, "connection"), once(socket, "connect")])) as [
      [net.Socket],
      unknown,
    ];
    const order: string[] = [];
    socket.once("data", (bytes) => order.push(String(bytes)));
    // The next phase of the event loop is that of the timers
    await new Promise(setImmediate);
    const over = moment().then(() => order.push("the moment"));
    peer.end("the reason");
    beBusyFor(150);
    await over;
    expect(order).toEqual(["the reason", "the moment"]);
  } finally {
    socket.destroy();
    server.close();
  }
});

import { once } from "node:events";
import net from "node:net";
import { createEndpoint } from "../../../transport/endpoint.js";
import { conformance } from "../../support/conformance.js";
import { parentHello, servingNode } from "../../support/nodes.js";

/** Two ends of a TCP connection on loopback. */
async function tcpPair(): Promise<[net.Socket, net.Socket]> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const upper = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  const [lower] = (await once(server, "connection")) as [net.Socket];
  server.close();
  for (const socket of [upper, lower]) socket.setNoDelay(true);
  return [upper, lower];
}

conformance("a TCP connection", async () => {
  const controller = createEndpoint({ root: true });
  const [upper, lower] = await tcpPair();
  const node = servingNode(lower);
  await controller.attachChild(1, upper, parentHello(1));
  return {
    controller,
    node: 1,
    cut: () => lower.destroy(),
    dispose: async () => {
      await controller.close();
      await node.parentGone;
    },
  };
});

conformance("two TCP connections with a relay between them", async () => {
  const controller = createEndpoint({ root: true });
  const [upper, relayUpper] = await tcpPair();
  const [relayLower, lower] = await tcpPair();
  const relay = servingNode(relayUpper);
  await controller.attachChild(1, upper, parentHello(1));
  // Before, it doesn't know its own place to tell its child.
  await relay.hello;
  controller.addNode(2, 1);
  const leaf = servingNode(lower);
  await relay.attachChild(2, relayLower, parentHello(2));
  return {
    controller,
    node: 2,
    cut: () => lower.destroy(),
    dispose: async () => {
      await controller.close();
      await Promise.all([relay.parentGone, leaf.parentGone]);
    },
  };
});

import { createEndpoint } from "../../../transport/endpoint.js";
import { conformance } from "../../support/conformance.js";
import { memoryPipe } from "../../support/memory-pipe.js";
import { parentHello, servingNode } from "../../support/nodes.js";

conformance("an in-memory pair", async () => {
  const controller = createEndpoint({ root: true });
  const [upper, lower] = memoryPipe();
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

conformance("an in-memory pair that tears all into pieces of 7 bytes", async () => {
  const controller = createEndpoint({ root: true });
  const [upper, lower] = memoryPipe(777);
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

conformance("a two-hop relay path", async () => {
  const controller = createEndpoint({ root: true });
  const [upper, relaySide] = memoryPipe();
  const [relayLower, leafSide] = memoryPipe();
  const relay = servingNode(relaySide);
  controller.expectChild(1);
  controller.addNode(2, 1);
  const first = controller.call(2, "echo", "sent before anybody was up");
  const attached = controller.attachChild(1, upper, parentHello(1));
  await relay.hello;
  await attached;
  const leaf = servingNode(leafSide);
  await relay.attachChild(2, relayLower, parentHello(2));
  await first;
  return {
    controller,
    node: 2,
    cut: () => leafSide.destroy(),
    dispose: async () => {
      await controller.close();
      await Promise.all([relay.parentGone, leaf.parentGone]);
    },
  };
});

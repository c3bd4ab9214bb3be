import { expect, it } from "vitest";
import { createEndpoint } from "../../../transport/endpoint.js";
import { memoryPipe } from "../../support/memory-pipe.js";
import { parentHello, servingNode } from "../../support/nodes.js";

/** controller > 1 > 2 */
async function chain() {
  const controller = createEndpoint({ root: true });
  const [upper, lower] = memoryPipe();
  const relay = servingNode(lower);
  await controller.attachChild(1, upper, parentHello(1));
  const [middle, last] = memoryPipe();
  const leaf = servingNode(last);
  controller.addNode(2, 1);
  await relay.attachChild(2, middle, parentHello(2));
  return { controller, relay, leaf };
}

it("a close right behind calls lets their answers through, from every depth, and then ends every node cleanly", async () => {
  const { controller, relay, leaf } = await chain();
  const answers = Promise.all([controller.call(1, "echo", "near"), controller.call(2, "echo", "far")]);
  const closed = controller.close();
  expect(await answers).toEqual(["near", "far"]);
  await closed;
  expect(await Promise.all([relay.parentGone, leaf.parentGone])).toEqual([undefined, undefined]);
});

it("a close waits for no call that is never answered", async () => {
  const { controller, leaf } = await chain();
  const waiting = controller.call(2, "wait", null).then(
    () => "answered",
    () => "failed",
  );
  await controller.close();
  expect(await waiting).toBe("failed");
  expect(await leaf.parentGone).toBeUndefined();
});

import { expect, it } from "vitest";
import { createEndpoint } from "../../../transport/endpoint.js";
import { MopError } from "../../../transport/errors.js";
import { encodeProblem } from "../../../transport/wire/problem.js";
import { GOOD_BODIES } from "../../support/frames.js";
import { memoryPipe } from "../../support/memory-pipe.js";
import { parentHello, servingNode } from "../../support/nodes.js";
import { frameOf, RawPeer } from "../../support/raw-peer.js";

/** The body of a goodbye without a reason. */
const CLEAN = Buffer.of(0xf6);

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

it("a child that says goodbye with a reason is gone with that reason, though it stays", async () => {
  const controller = createEndpoint({ root: true });
  const [upper, lower] = memoryPipe();
  const child = new RawPeer(lower);
  child.send(frameOf("HELLO", { body: GOOD_BODIES.HELLO! }));
  await controller.attachChild(1, upper, parentHello(1));
  const channel = controller.open(1, "echo", null);
  const gone = new Promise((resolve) => controller.onGone((id, { code }) => resolve([id, code])));
  child.send(frameOf("BYE", { body: encodeProblem(new MopError("INTERNAL", "it broke")) }));
  const late = new Promise((resolve) => setTimeout(() => resolve("nothing"), 1000));
  expect(await Promise.race([gone, late])).toEqual([1, "INTERNAL"]);
  expect(await channel.closed).toMatchObject({ code: "INTERNAL", message: "it broke" });
  child.destroy();
  await controller.close();
});

it("a child that says a clean goodbye has left, though its pipe breaks in the same moment", async () => {
  const controller = createEndpoint({ root: true });
  const [upper, lower] = memoryPipe();
  const child = new RawPeer(lower);
  child.send(frameOf("HELLO", { body: GOOD_BODIES.HELLO! }));
  await controller.attachChild(1, upper, parentHello(1));
  const gone = new Promise((resolve) => controller.onGone((_id, { code }) => resolve(code)));
  upper.once("data", () => upper.destroy(new Error("read ECONNRESET")));
  child.send(frameOf("BYE", { body: CLEAN }));
  expect(await gone).toBe("NODE_GONE");
  child.destroy();
  await controller.close();
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEndpoint } from "../../../transport/endpoint.js";
import { MopError } from "../../../transport/errors.js";
import type { Endpoint, NodeId } from "../../../transport/types.js";
import type { Frame } from "../../../transport/wire/frame.js";
import { encodeGone } from "../../../transport/wire/gone.js";
import { encodeValue } from "../../../transport/wire/value.js";
import { until } from "../../support/alive.js";
import { GOOD_BODIES, parentHelloBody } from "../../support/frames.js";
import { memoryPipe } from "../../support/memory-pipe.js";
import { nodeInfo, parentHello, servingNode } from "../../support/nodes.js";
import { frameOf, RawPeer } from "../../support/raw-peer.js";

const gone = (id: NodeId) => encodeGone(id, new MopError("NODE_GONE", "so they say"));
const call = encodeValue(["echo", null, 0]);
const open = encodeValue(["echo", null]);

/** What a child (1) may not send; 2 is its sibling, 0 its parent and the controller. */
const FROM_BELOW: readonly [string, Frame, string][] = [
  [
    "opens a channel to the controller",
    frameOf("OPEN", { source: 1, channel: 1, body: open }),
    "NOT_ALLOWED",
  ],
  [
    "opens a channel to its sibling",
    frameOf("OPEN", { source: 1, destination: 2, channel: 1, body: open }),
    "NOT_ALLOWED",
  ],
  [
    "opens a pipe on the controller",
    frameOf("OPEN", { source: 1, channel: 1, body: encodeValue(["pipe", { host: "127.0.0.1", port: 22 }]) }),
    "NOT_ALLOWED",
  ],
  ["calls the controller", frameOf("CALL", { source: 1, channel: 1, body: call }), "NOT_ALLOWED"],
  [
    "calls its sibling",
    frameOf("CALL", { source: 1, destination: 2, channel: 1, body: call }),
    "NOT_ALLOWED",
  ],
  ["cancels a call", frameOf("CANCEL", { source: 1, channel: 1 }), "NOT_ALLOWED"],
  ["announces a node", frameOf("ROUTE", { source: 1, body: Buffer.from([0, 0, 0, 9]) }), "NOT_ALLOWED"],
  ["offers blobs", frameOf("OFFER", { body: encodeValue([]) }), "NOT_ALLOWED"],
  ["denies blobs", frameOf("LACK", { body: encodeValue([]) }), "NOT_ALLOWED"],
  [
    "writes to its sibling",
    frameOf("DATA", { source: 1, destination: 2, channel: 1, body: Buffer.from("x") }),
    "NOT_ALLOWED",
  ],
  [
    "answers its sibling's calls",
    frameOf("RESULT", { source: 1, destination: 2, channel: 1, body: encodeValue(1) }),
    "NOT_ALLOWED",
  ],
  [
    "writes to a node that is not there",
    frameOf("DATA", { source: 1, destination: 77, channel: 1 }),
    "NOT_ALLOWED",
  ],
  ["writes as its sibling", frameOf("DATA", { source: 2, channel: 1, body: Buffer.from("x") }), "BAD_SOURCE"],
  [
    "answers as its sibling",
    frameOf("RESULT", { source: 2, channel: 1, body: encodeValue(1) }),
    "BAD_SOURCE",
  ],
  [
    "fails a call as its sibling",
    frameOf("FAIL", { source: 2, channel: 1, body: GOOD_BODIES.FAIL! }),
    "BAD_SOURCE",
  ],
  [
    "resets as its sibling",
    frameOf("RESET", { source: 2, channel: 1, body: GOOD_BODIES.RESET! }),
    "BAD_SOURCE",
  ],
  ["writes as the controller", frameOf("DATA", { source: 0, channel: 1 }), "BAD_SOURCE"],
  ["writes as a node that is not there", frameOf("DATA", { source: 77, channel: 1 }), "BAD_SOURCE"],
  ["says that its sibling is gone", frameOf("GONE", { source: 1, body: gone(2) }), "BAD_SOURCE"],
  ["says that the controller is gone", frameOf("GONE", { source: 1, body: gone(0) }), "BAD_SOURCE"],
  ["says that it is gone itself", frameOf("GONE", { source: 1, body: gone(1) }), "BAD_SOURCE"],
  [
    "tells its sibling of the end of a node",
    frameOf("GONE", { source: 1, destination: 2, body: gone(3) }),
    "NOT_ALLOWED",
  ],
  ["addresses a WANT", frameOf("WANT", { source: 1, body: encodeValue([]) }), "BAD_SOURCE"],
  ["addresses a PING", frameOf("PING", { destination: 2, body: Buffer.alloc(4) }), "BAD_SOURCE"],
  ["addresses a BYE", frameOf("BYE", { source: 2, body: encodeValue(null) }), "BAD_SOURCE"],
  ["says hello twice", frameOf("HELLO", { body: GOOD_BODIES.HELLO! }), "PROTOCOL"],
];

describe("a child that breaks a rule", () => {
  let controller: Endpoint;
  let child: RawPeer;
  let lost: [NodeId, string][];
  let heard: string[];

  beforeEach(async () => {
    controller = createEndpoint({ root: true });
    lost = [];
    heard = [];
    controller.onGone((id, error) => lost.push([id, error.code]));
    controller.handle("echo", () => heard.push("call"));
    for (const kind of ["echo", "pipe"]) controller.serve(kind, () => heard.push("channel"));
    for (const type of ["offer", "want", "lack"] as const) controller.onPost(type, () => heard.push(type));
    const [upper, lower] = memoryPipe();
    child = new RawPeer(lower);
    child.send(frameOf("HELLO", { body: GOOD_BODIES.HELLO! }));
    const [upper2, lower2] = memoryPipe();
    servingNode(lower2);
    await Promise.all([
      controller.attachChild(1, upper, parentHello(1)),
      controller.attachChild(2, upper2, parentHello(2)),
    ]);
  });
  afterEach(async () => {
    child.destroy();
    await controller.close();
  });

  it.each(FROM_BELOW)("loses its link when it %s", async (_what, frame, code) => {
    const running = controller.call(2, "wait", null).then(String, String);
    const channel = controller.open(2, "unread", null);
    child.send(frame);
    expect(await child.goodbye()).toBe(code);
    await until("the child's end", () => lost.length > 0);
    expect(lost).toEqual([[1, code]]);
    expect(heard).toEqual([]);
    // The sibling, its call and its channel are as they were.
    const outcome = await Promise.race([running, controller.call(2, "echo", "unharmed")]);
    expect(outcome).toBe("unharmed");
    await channel.write(Buffer.from("still open"));
  });

  it("may not say hello with another version, and both sides learn why", async () => {
    const [upper, lower] = memoryPipe();
    const other = new RawPeer(lower);
    const attached = controller.attachChild(3, upper, parentHello(3)).catch((error: MopError) => error.code);
    other.send(frameOf("HELLO", { body: encodeValue({ ...nodeInfo(), protocol: 2 }) }));
    expect(await attached).toBe("VERSION");
    expect(await other.goodbye()).toBe("VERSION");
  });

  it("must say hello first", async () => {
    const [upper, lower] = memoryPipe();
    const other = new RawPeer(lower);
    const attached = controller.attachChild(3, upper, parentHello(3)).catch((error: MopError) => error.code);
    other.send(frameOf("RESULT", { source: 3, channel: 1, body: encodeValue(1) }));
    expect(await attached).toBe("PROTOCOL");
    expect(await other.goodbye()).toBe("PROTOCOL");
  });

  it("is late, not wrong, when it writes on what is over", async () => {
    child.send(
      frameOf("DATA", { source: 1, channel: 99, body: Buffer.from("x") }),
      frameOf("RESULT", { source: 1, channel: 99, body: encodeValue(1) }),
      frameOf("PONG", { body: Buffer.alloc(4) }),
      frameOf("PING", { body: Buffer.from([1, 2, 3, 4]) }),
    );
    expect(Buffer.from((await child.first("PONG")).body).toString("hex")).toBe("01020304");
    expect(lost).toEqual([]);
  });
});

describe("a relay", () => {
  it("cuts a child that forges a source, and tells the controller of that child only", async () => {
    const controller = createEndpoint({ root: true });
    const lost: [NodeId, string][] = [];
    controller.onGone((id, error) => lost.push([id, error.code]));
    const [upper, lower] = memoryPipe();
    const relay = servingNode(lower);
    await controller.attachChild(1, upper, parentHello(1));
    controller.addNode(2, 1);
    controller.addNode(3, 1);
    const pipes = [memoryPipe(), memoryPipe()];
    const bad = new RawPeer(pipes[0]![1]);
    bad.send(frameOf("HELLO", { body: GOOD_BODIES.HELLO! }));
    const good = servingNode(pipes[1]![1]);
    await relay.attachChild(2, pipes[0]![0], parentHello(2));
    await relay.attachChild(3, pipes[1]![0], parentHello(3));
    // A call to 3 is out; 2 tries to answer it in its place.
    const call = controller.call(3, "wait", null).then(String, (error: MopError) => error.code);
    bad.send(frameOf("RESULT", { source: 3, channel: 1, body: encodeValue("forged") }));
    expect(await bad.goodbye()).toBe("BAD_SOURCE");
    await until("the news of 2", () => lost.length > 0);
    expect(lost).toEqual([[2, "BAD_SOURCE"]]);
    expect(await controller.call(3, "echo", 1)).toBe(1);
    await controller.close();
    expect(await call).not.toBe("forged");
    await good.parentGone;
  });
});

/** What a parent (the controller, 0) may not send to node 1. */
const FROM_ABOVE: readonly [string, Frame, string][] = [
  ["answers", frameOf("RESULT", { destination: 1, channel: 1, body: encodeValue(1) }), "NOT_ALLOWED"],
  ["fails", frameOf("FAIL", { destination: 1, channel: 1, body: GOOD_BODIES.FAIL! }), "NOT_ALLOWED"],
  ["wants blobs", frameOf("WANT", { body: encodeValue([]) }), "NOT_ALLOWED"],
  [
    "passes on a call of a sibling",
    frameOf("CALL", { destination: 1, source: 2, channel: 1, body: call }),
    "BAD_SOURCE",
  ],
  [
    "passes on a call of the node itself",
    frameOf("CALL", { destination: 1, source: 1, channel: 1, body: call }),
    "BAD_SOURCE",
  ],
  ["places it again", frameOf("HELLO", { body: parentHelloBody(5) }), "PROTOCOL"],
  [
    "makes it its own child",
    frameOf("ROUTE", { destination: 1, body: Buffer.from([0, 0, 0, 1]) }),
    "BAD_ARGUMENT",
  ],
  [
    "makes the controller its child",
    frameOf("ROUTE", { destination: 1, body: Buffer.alloc(4) }),
    "BAD_ARGUMENT",
  ],
];

describe("a parent that breaks a rule", () => {
  it.each(FROM_ABOVE)("loses its child when it %s", async (_what, frame, code) => {
    const [upper, lower] = memoryPipe();
    const parent = new RawPeer(upper);
    const node = servingNode(lower);
    parent.send(frameOf("HELLO", { body: parentHelloBody(1) }));
    await node.hello;
    parent.send(frame);
    expect(await parent.goodbye()).toBe(code);
    expect(await node.parentGone).toMatchObject({ code });
    expect(parent.of("RESULT")).toEqual([]);
  });
});

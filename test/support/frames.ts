import { MopError } from "../../transport/errors.js";
import { FRAME_RULES, type FrameName, FrameType } from "../../transport/wire/constants.js";
import type { Frame } from "../../transport/wire/frame.js";
import { encodeGone } from "../../transport/wire/gone.js";
import { encodeNodeInfo, encodeParentHello } from "../../transport/wire/hello.js";
import { encodeProblem } from "../../transport/wire/problem.js";
import { encodeValue } from "../../transport/wire/value.js";
import { nodeInfo, parentHello } from "./nodes.js";

const problem = encodeProblem(new MopError("CANCELLED", "It was cancelled"));

/** A good body for every type of frame; HELLO's is a child's (its parent's is `parentHelloBody`). */
export const GOOD_BODIES: Readonly<Record<FrameName, Uint8Array>> = {
  HELLO: encodeNodeInfo(nodeInfo()),
  PING: Buffer.from([0, 0, 0, 7]),
  PONG: Buffer.from([0, 0, 0, 7]),
  BYE: encodeValue(null),
  ROUTE: Buffer.from([0, 0, 0, 9]),
  GONE: encodeGone(2, new MopError("NODE_GONE", "Node 2 is gone")),
  OPEN: encodeValue(["echo", null]),
  DATA: Buffer.from("some data"),
  WINDOW: Buffer.from([0, 0, 1, 0]),
  END: Buffer.alloc(0),
  RESET: problem,
  CONTROL: Buffer.from("some control"),
  CALL: encodeValue(["echo", { a: [1, "two"] }, 0]),
  RESULT: encodeValue({ a: [1, "two"] }),
  FAIL: problem,
  CANCEL: Buffer.alloc(0),
  OFFER: encodeValue([1, false, [1], Buffer.alloc(36, 1)]),
  WANT: encodeValue([0, Buffer.alloc(32, 1)]),
  LACK: encodeValue([35, "not here", Buffer.alloc(32, 1)]),
};

export const parentHelloBody = (id: number): Uint8Array =>
  encodeParentHello({ ...parentHello(id), ancestors: [0] });

/** One good frame of each type, addressed as between a controller (0) and its child 1, on channel 1. */
export function goodFrames(from: "above" | "below"): Frame[] {
  return [...FRAME_RULES.values()]
    .filter((rule) => rule.direction !== (from === "above" ? "up" : "down"))
    .map((rule) => {
      const addressed = rule.scope !== "link";
      return {
        type: FrameType[rule.name],
        flags: 0,
        destination: addressed && from === "above" ? 1 : 0,
        source: addressed && from === "below" ? 1 : 0,
        channel: rule.scope === "end" ? 1 : 0,
        body: rule.name === "HELLO" && from === "above" ? parentHelloBody(1) : GOOD_BODIES[rule.name],
      };
    });
}

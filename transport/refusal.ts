import type { MopError } from "./errors.js";
import { FrameType } from "./wire/constants.js";
import type { Frame } from "./wire/frame.js";
import { encodeProblem } from "./wire/problem.js";

/** What answers a frame that finds no room on its way down, in the name of its destination; undefined where nobody waits. */
export function refusal(frame: Frame, error: MopError): Frame | undefined {
  const { type } = frame;
  const ofChannel = type >= FrameType.OPEN && type <= FrameType.CONTROL && type !== FrameType.RESET;
  if (type !== FrameType.CALL && !ofChannel) return undefined;
  return {
    type: ofChannel ? FrameType.RESET : FrameType.FAIL,
    flags: 0,
    destination: frame.source,
    source: frame.destination,
    channel: frame.channel,
    body: encodeProblem(error),
  };
}

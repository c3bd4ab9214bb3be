import { MopError } from "../../../transport/errors.js";
import { logIn } from "../attempt.js";
import { unreachable } from "../unreachable.js";
import type { HopWay } from "./hop.js";

/** A host that only forwards: logged in, nothing started. */
export const jump: HopWay = {
  starts: "nothing",
  handsOff: false,
  async reach({ port, place, from, tries }) {
    const through = from.type === "node" ? { ...from, handsOff: false } : from;
    await tries(async (pace) => {
      const session = await logIn(port, place, through, pace);
      await session.authenticated;
      place.session = session;
      place.authenticated = true;
      void session.closed.then((error) => {
        place.fail(unreachable(place.name, error ?? new MopError("SSH_DISCONNECTED", "the session is over")));
      });
    });
    place.dispatched.resolve();
    return undefined;
  },
  wayOut: ({ session }) => ({ type: "jump", session: session! }),
};

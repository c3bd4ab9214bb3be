import { MopError } from "../../../transport/errors.js";
import { logIn } from "../attempt.js";
import type { Place } from "../place.js";
import { unreachable } from "../unreachable.js";
import type { HopWay } from "./hop.js";

/** A host that only forwards: logged in, nothing started. */
export const jump: HopWay = {
  starts: "nothing",
  handsOff: false,
  async reach({ port, place, from, tries }) {
    const left = place.goesOnWith;
    if (left && !left.isOver) {
      place.out = left.from;
      place.way = left.way;
      place.authenticated = true;
      failWith(place, left.closed);
      void place.gone.promise.then(() => left.release());
    } else {
      const through = from.type === "node" ? { ...from, handsOff: false } : from;
      await tries(async (pace) => {
        const session = await logIn(port, place, through, pace);
        await session.authenticated;
        place.session = session;
        place.out = { type: "jump", session };
        place.authenticated = true;
        failWith(place, session.closed);
      });
    }
    if (left) port.options.onNotice?.(place.name, `is passed as a jump: ${left.reason.message}`);
    place.dispatched.resolve();
    return undefined;
  },
  wayOut: ({ out }) => out!,
};

function failWith(place: Place, closed: Promise<Error | undefined>): void {
  void closed.then((error) => {
    place.fail(unreachable(place.name, error ?? new MopError("SSH_DISCONNECTED", "the session is over")));
  });
}

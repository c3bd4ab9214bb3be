import { asMopError } from "../../../transport/errors.js";
import { attemptNode } from "../attempt.js";
import { hinted, keepLogin } from "../left.js";
import type { Place } from "../place.js";
import type { HopWay } from "./hop.js";

/** A node started over SSH. `handsOff`: it is given the sessions behind it; else they stay end to end. */
export const sshNode = (handsOff: boolean): HopWay => ({
  starts: "relay",
  handsOff,
  reach({ port, place, from, attempts, tries }) {
    const through = from.type === "node" && place.hop.stays ? { ...from, handsOff: false } : from;
    return tries(async (pace) => {
      try {
        return await attemptNode(port, place, through, pace, attempts);
      } catch (error) {
        // What else could make a node of the host comes before this: from here on it is passed as a jump
        keepOwnLogin(place, error);
        throw error;
      }
    });
  },
  explain: (_place, error) => hinted(error),
  wayOut: ({ id, name }) => ({ type: "node", id, name, handsOff }),
});

/** A session that stayed with us; one that was handed over is kept by its carrier (attempt.ts). */
function keepOwnLogin(place: Place, error: unknown): void {
  const { session } = place;
  if (!session) return;
  keepLogin(place, asMopError(error), {
    from: { type: "jump", session },
    closed: session.closed,
    release: () => session.close(),
  });
}

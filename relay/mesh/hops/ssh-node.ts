import { attemptNode } from "../attempt.js";
import type { HopWay } from "./hop.js";

/** A node started over SSH. `handsOff`: it is given the sessions behind it; else they stay end to end. */
export const sshNode = (handsOff: boolean): HopWay => ({
  starts: "relay",
  reach: ({ port, place, from, attempts, tries }) =>
    tries((pace) => attemptNode(port, place, from, pace, attempts)),
  wayOut: ({ id, name }) => ({ type: "node", id, name, handsOff }),
});

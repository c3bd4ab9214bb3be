import { attemptNode } from "../attempt.js";
import type { HopWay } from "./hop.js";

/** A node started over SSH. `handsOff`: it is given the sessions behind it; else they stay end to end. */
export const sshNode = (handsOff: boolean): HopWay => ({
  starts: "relay",
  handsOff,
  reach({ port, place, from, attempts, tries }) {
    const through = from.type === "node" && place.hop.stays ? { ...from, handsOff: false } : from;
    return tries((pace) => attemptNode(port, place, through, pace, attempts));
  },
  wayOut: ({ id, name }) => ({ type: "node", id, name, handsOff }),
});

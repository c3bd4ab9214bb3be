import { describeRun, lost, unhurt } from "./cases.js";

/** A piece of the stream may begin in the middle of a packet: what is changed is its body then, or the next one's length. */
const DAMAGED = /integrity|packet length|impossible length/;

describeRun(
  "a relay before sessions that stay end to end",
  "bastion",
  Object.fromEntries(
    Object.entries({
      "flips what the host says": lost("host", "SSH_PROTOCOL", DAMAGED),
      "flips the length of what the host says": lost("host", ["SSH_PROTOCOL", "LINK_LOST"]),
      "flips what the host is told": lost("host", ["SSH_DISCONNECTED", "LINK_LOST"]),
      "says twice what the host says": lost("host", "SSH_PROTOCOL", DAMAGED),
      "says twice what the host is told": lost("host", ["SSH_DISCONNECTED", "LINK_LOST"]),
      "leaves out what the host says": lost("host", "SSH_PROTOCOL", DAMAGED),
      "leaves out what the host is told": lost("host", ["SSH_DISCONNECTED", "LINK_LOST"]),
      "adds to what the host says": lost("host", "SSH_PROTOCOL"),
      "adds to what the host is told": lost("host", ["SSH_DISCONNECTED", "LINK_LOST"]),
      "swaps what the host says": lost("host", "SSH_PROTOCOL", DAMAGED),
      "swaps what the host is told": lost("host", ["SSH_DISCONNECTED", "LINK_LOST"]),
      "withholds what the host says": lost("host", "LINK_LOST", /nothing was heard/),
      "withholds what the host is told": lost("host", "LINK_LOST", /nothing was heard/),
      "says the login twice": lost("host", ["SSH_DISCONNECTED", "LINK_LOST"]),
      "withholds the login": lost("host", "CONNECT_TIMEOUT"),
      "withholds what comes behind the login": lost("host", "CONNECT_TIMEOUT", /the command's start/),
      "ends the connection in the data": lost("host", [
        "SSH_DISCONNECTED",
        "LINK_LOST",
        "CONNECT_UNREACHABLE",
      ]),
      "asks for a session that stays end to end": unhurt,
      "writes as the host behind it": lost("bastion", "BAD_SOURCE"),
      // Longer than it takes to notice silence, on a machine that is busy: what is cut off doesn't come to its end
    }).map(([attack, one]) => [
      attack,
      { ...one, hop: "sealed", pause: one.told === "unhurt" ? 1 : 30 } as const,
    ]),
  ),
  ["--connect-timeout", "10"],
);

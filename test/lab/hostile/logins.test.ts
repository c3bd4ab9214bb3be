/**
 * A relay whose host's root means ill: the real program with somebody's hands on all that it reads and writes
 * (double.ts), on real bastions, in real pushes. Each attack has a site of its own in the run, next to an honest one.
 */
import { describeRun, lost, unhurt } from "./cases.js";

describeRun(
  "a relay that meddles with a login",
  "bastion",
  {
    "flips the server's identification": lost("host", "SSH_PROTOCOL", /signature verification/),
    "flips the server's list of algorithms": lost("host", "SSH_PROTOCOL", /signature verification/),
    "flips the host key": lost("host", "HOST_KEY_CHANGED"),
    "flips the server's key share": lost("host", "SSH_PROTOCOL", /signature verification/),
    "flips the signature over the key exchange": lost("host", "SSH_PROTOCOL", /signature verification/),
    "flips the client's list of algorithms": lost("host", "SSH_PROTOCOL", /signature verification/),
    "flips the client's key share": lost("host", "SSH_PROTOCOL", /signature verification/),
    "flips the login": lost("host", "SSH_DISCONNECTED"),
    "flips the login's answer": lost("host", "SSH_PROTOCOL", /integrity/),
    "says the key exchange twice": lost("host", "SSH_PROTOCOL"),
    "takes the algorithms for weak ones": lost("host", "SSH_PROTOCOL"),
    "slips a message in before the keys": lost("host", "SSH_PROTOCOL", /unexpected packet/),
    "slips a message in and takes the first sealed one out": lost(
      "host",
      "SSH_PROTOCOL",
      /unexpected packet/,
    ),
    "ends the connection in the key exchange": lost("host", "SSH_DISCONNECTED"),
    "withholds the identification": lost("host", "CONNECT_TIMEOUT"),
    "withholds the key exchange": lost("host", "CONNECT_TIMEOUT"),
    "withholds what the client says": lost("host", "CONNECT_TIMEOUT"),
    "withholds the login's answer": lost("host", "CONNECT_TIMEOUT", /doesn't say within 8 s/),
    "says lines without end before the identification": lost("host", "SSH_PROTOCOL", /too much text/),
    "claims a packet of 4 GB": lost("host", "SSH_PROTOCOL", /impossible length/),
    "tries the recorded login on another connection": unhurt,
    "connects to another host's sshd": lost("host", "HOST_KEY_CHANGED"),
    "connects to the honest site's host": lost("host", "HOST_KEY_CHANGED"),
    "connects back to its own sshd": lost("host", "HOST_KEY_CHANGED"),
    "never says hello": lost("bastion", "TIMEOUT", /no node has answered on/),
    "listens to a password": { ...unhurt, password: true },
  },
  ["--connect-timeout", "8"],
);

import { believed, describeRun, lost, unhurt } from "./cases.js";

describeRun(
  "a relay that floods",
  "bastion",
  {
    "asks for pongs without end": unhurt,
    "answers without end": unhurt,
    "asks for echoes without end": unhurt,
    "sends past its credit": unhurt,
    "sends empty messages past its credit": lost("bastion", "PROTOCOL"),
    "asks for blobs that it has, without end": lost("bastion", "TOO_MANY"),
    "talks on stderr without end": unhurt,
    "sends events without end": believed,
  },
  [],
);

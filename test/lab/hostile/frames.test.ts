import { expect, test } from "vitest";
import { escapeLine } from "../../../cli/output/escape.js";
import { built } from "../../support/mop.js";
import { believed, describeRun, failed, lost, unhurt } from "./cases.js";
import { createSites } from "./sites.js";

describeRun(
  "a relay that says what it was not asked for",
  "bastion",
  {
    "opens a pipe on the controller": lost("bastion", "NOT_ALLOWED", /don't trust that host/),
    "has the controller run a command": lost("bastion", "NOT_ALLOWED"),
    "runs a wing on the controller": lost("bastion", "NOT_ALLOWED"),
    "calls the controller": lost("bastion", "NOT_ALLOWED"),
    "asks for a signature": lost("bastion", "NOT_ALLOWED"),
    "cancels a call of the controller's": lost("bastion", "NOT_ALLOWED"),
    "answers as the honest relay": lost("bastion", "BAD_SOURCE"),
    "writes as the honest host": lost("bastion", "BAD_SOURCE"),
    "writes as the controller": lost("bastion", "BAD_SOURCE"),
    "orders the honest relay as the controller": lost("bastion", "BAD_SOURCE"),
    "writes to the honest host": lost("bastion", "NOT_ALLOWED"),
    "announces a node of its own": lost("bastion", "NOT_ALLOWED"),
    "offers blobs upward": lost("bastion", "NOT_ALLOWED"),
    "says that the honest relay is gone": lost("bastion", "BAD_SOURCE"),
    "says hello twice": lost("bastion", "PROTOCOL"),
    "claims a frame of 4 GB": lost("bastion", "FRAME_TOO_LARGE"),
    "speaks no frames": lost("bastion", "PROTOCOL"),
    "grants more credit than there is": lost("host", "WINDOW_EXCEEDED"),
    "says hello in colours": unhurt,
    "says goodbye in colours": lost("bastion", "INTERNAL"),
    "reports a hand-off in nonsense": lost("bastion", "PROTOCOL"),
    "answers a hand-off with one of its own": lost("bastion", "PROTOCOL"),
    // A wrong guess and a plain login are what any host may get
    "takes each session and says that it refused it": { ...lost("host", "HANDOFF_REFUSED"), logins: 2 },
    "takes each session and says that the login was refused": { ...lost("host", "AUTH_REFUSED"), logins: 2 },
    "reports on pipes that are not its own": unhurt,
    "answers what nobody asked": unhurt,
    "dies when it is given a session": lost("bastion", "LINK_LOST"),
    "falls silent behind its hello": lost("bastion", "LINK_LOST", /nothing was heard/),
    "asks for a blob of the honest site": unhurt,
    "asks for blobs without end": lost("bastion", "TOO_MANY"),
    "asks for blobs in nonsense": lost("bastion", "PROTOCOL"),
    "lies about its links": unhurt,
    "gives its host other blobs": failed(/does not match its hash/),
    // What can't be had (docs/security.md): a relay has the sessions that it was handed
    "says that its host is done": believed,
    "numbers events wrongly": failed(/Event 7 came, but event 1 did not/),
    "sends half an event": failed(/half an item/),
    "sends events that are none": failed(/malformed event/),
    "sends a result that is none": failed(/call result/),
    "sends events in colours": failed(/evil/),
    "fetches what no role asked for": failed(/nobody asked for/),
  },
  ["--connect-timeout", "15"],
);

test.skipIf(!built)(
  "what hostile nodes say in colours is shown to people, never sent to their terminal",
  async () => {
    const sites = await createSites({
      s0: { double: "bastion", attack: "says hello in colours" },
      s1: { double: "bastion", attack: "says goodbye in colours" },
      s2: { double: "bastion", attack: "sends events in colours" },
      s3: { double: "host", attack: "says goodbye in colours" },
      s4: { double: "bastion", attack: "talks in colours" },
    });
    try {
      const run = await sites.push("--verbose", "--diff");
      for (const { acts, name } of sites.sites.values()) expect(acts() !== "", name).toBe(name !== "fair");
      const lines = [...run.stdout.split("\n"), ...run.stderr.split("\n")];
      expect(lines.filter((line) => line.includes("evil")).length).toBeGreaterThan(4);
      for (const line of lines) expect(line).toBe(escapeLine(line));
    } finally {
      await sites.close();
    }
  },
);

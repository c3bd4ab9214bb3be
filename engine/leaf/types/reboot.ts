import type { RebootOptions, Result } from "../../vocabulary/resources.js";
import { Refusal } from "../errors.js";
import { rules } from "../options.js";
import type { ResourceType } from "../type.js";

/** Seconds until a host that went down counts as lost. */
const WAIT = 600;
const COMMAND = "systemctl reboot || shutdown -r now || reboot";

/** Restarts the host and goes on behind it. */
export const reboot: ResourceType<RebootOptions, Result> = {
  name: "reboot",
  options: { wait: rules.seconds, command: rules.text },
  async plan({ check, facts, reboots }, _name, options) {
    if (options.command === undefined && facts.user.uid !== 0)
      throw new Refusal(
        "only root can restart a host; let the role become root, or name a `command` that may",
      );
    const actions = ["reboot"];
    if (!check && reboots.resumed) return { actions, apply: async () => actions };
    return {
      actions,
      apply: () => reboots.request((options.wait ?? WAIT) * 1000, options.command ?? COMMAND),
    };
  },
};

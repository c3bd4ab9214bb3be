import type { EchoOptions, Result } from "../../vocabulary/resources.js";
import { rules } from "../options.js";
import type { ResourceType } from "../type.js";

/** Says something to the operator. */
export const echo: ResourceType<EchoOptions, Result> = {
  name: "echo",
  options: { vars: rules.vars },
  async plan(context, message, options) {
    const text = await context.renderer.text(message, options.vars ?? {});
    return {
      actions: [],
      readOnly: true,
      async apply() {
        await context.output("stdout", text.endsWith("\n") ? text : `${text}\n`);
        return [];
      },
    };
  },
};

import type { DebugFactsOptions } from "../../../vocabulary/resources.js";
import { Refusal } from "../../errors.js";
import { rules } from "../../options.js";
import type { ResourceType } from "../../type.js";

/** The host's facts, shown to the operator. */
export const debugFacts: ResourceType<DebugFactsOptions> = {
  name: "debugFacts",
  options: { only: rules.list },
  async plan(context, title, { only }) {
    const facts = context.facts as unknown;
    const shown = only ? Object.fromEntries(only.map((name) => [name, factAt(facts, name)])) : facts;
    return {
      actions: [],
      readOnly: true,
      async apply() {
        await context.output("stdout", `${title}: ${JSON.stringify(shown, undefined, 2)}\n`);
        return [];
      },
    };
  },
};

/** Object.hasOwn is younger than Node 16.0. */
const has = Object.prototype.hasOwnProperty;

function factAt(facts: unknown, name: string): unknown {
  let value = facts;
  for (const part of name.split(".")) {
    if (typeof value !== "object" || value === null || !has.call(value, part))
      throw new Refusal(`there is no fact "${name}"`);
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

import type { AssertOptions } from "../../../vocabulary/resources.js";
import { causeOf, Refusal } from "../../errors.js";
import { type Rule, rules } from "../../options.js";
import { NOTHING, type ResourceType } from "../../type.js";

const CONDITION: Rule = {
  expected: "true, false or a function that gives one of them",
  test: (value) => typeof value === "boolean" || typeof value === "function",
};

/** Something that must be true. */
export const assert: ResourceType<AssertOptions> = {
  name: "assert",
  options: { that: CONDITION, message: rules.text },
  async plan(_context, name, { that, message }) {
    if (that === undefined) throw new Refusal('it needs the option "that": what must be true');
    let given: unknown = that;
    if (typeof that === "function")
      try {
        given = that();
      } catch (error) {
        throw new Refusal(`its "that" threw an error: ${causeOf(error)}`);
      }
    if (typeof given !== "boolean")
      throw new Refusal(`its "that" must give true or false, not ${given === null ? "null" : typeof given}`);
    if (!given) throw new Refusal(message ?? `it is not so: ${name}`);
    return NOTHING;
  },
};

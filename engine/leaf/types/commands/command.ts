import type { CommandOptions, ShellResult } from "../../../vocabulary/resources.js";
import { rules } from "../../options.js";
import type { ResourceType } from "../../type.js";
import { NOT_RUN, PROGRAM_RULES, planProgram } from "../program.js";

/** A program with arguments, without a shell. */
export const command: ResourceType<CommandOptions, ShellResult> = {
  name: "command",
  options: { args: rules.list, ...PROGRAM_RULES },
  blank: NOT_RUN,
  plan: (context, program, options) =>
    planProgram(context, options, { what: program, file: program, args: options.args ?? [] }),
};

import type { ShellOptions, ShellResult } from "../../vocabulary/resources.js";
import { Refusal } from "../errors.js";
import type { ResourceType } from "../type.js";
import { NOT_RUN, PROGRAM_RULES, planProgram } from "./program.js";

/** A command, run by /bin/sh. */
export const shell: ResourceType<ShellOptions, ShellResult> = {
  name: "shell",
  options: PROGRAM_RULES,
  blank: NOT_RUN,
  async plan(context, command, options) {
    if (command.trim() === "") throw new Refusal("the command is empty");
    return planProgram(context, options, { what: "the command", file: "/bin/sh", args: ["-c", command] });
  },
};

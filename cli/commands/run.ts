import type { Command } from "commander";
import { PolicyError } from "../../engine/controller/policy-error.js";
import { runCommand } from "../../engine/controller/run/run-command.js";
import { targetOptions, withMesh } from "../connect.js";
import { withDefaults } from "../defaults/with-defaults.js";
import { addConnectionOptions, type ConnectionFlags } from "../options.js";
import { createView } from "../output/view.js";
import type { Outcome } from "../program.js";

export function addRun(program: Command, outcome: Outcome): void {
  const command = program
    .command("run")
    .description("one command on every host")
    .usage("[options] -- COMMAND")
    .argument("<command...>", "run by the user's shell on each host, as `ssh host COMMAND` would");
  addConnectionOptions(command).action(async (words: string[], given: ConnectionFlags) => {
    // As ssh joins them: what quotes protect is the remote shell's business.
    const text = words.join(" ");
    if (text.trim() === "") throw new PolicyError("there is no command to run; write it behind --");
    const view = createView({ ...given, roles: false }, outcome.print);
    const flags = await withDefaults(given, view.note);
    outcome.status = await withMesh(flags, view, async ({ mesh, stop }) => {
      const targets = await targetOptions(flags, stop.signal);
      return runCommand(
        { ...targets, command: text, onHosts: view.expect, onWarning: view.note },
        mesh,
        view.report,
      );
    });
  });
}

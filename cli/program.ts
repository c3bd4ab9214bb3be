import { Command, CommanderError } from "commander";
import { mopPackage } from "../engine/controller/policy/mop-package.js";
import { addDemo } from "./commands/demo.js";
import { addFacts } from "./commands/facts.js";
import { addInventory } from "./commands/inventory.js";
import { addPing } from "./commands/ping.js";
import { addLocal, addPush } from "./commands/push.js";
import { addRun } from "./commands/run.js";
import { addValidate } from "./commands/validate.js";
import { sentenceOf } from "./faults.js";
import { readVersion } from "./version.js";

/** The exit status that a command's action ended with; commander's actions give nothing back. */
export interface Outcome {
  status: number;
}

/** Runs one command line and gives its exit status; writes to stdout and stderr. Never throws. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const outcome: Outcome = { status: 0 };
  const program = new Command("mop")
    .description("Push typed, idempotent roles to hosts behind nested bastions")
    .version(readVersion(mopPackage()))
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false });
  for (const add of [addPush, addLocal, addValidate, addPing, addRun, addFacts, addInventory, addDemo])
    add(program, outcome);
  // The others inherit nothing: each command is told on its own.
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync([...args], { from: "user" });
    return outcome.status;
  } catch (error) {
    // Commander has told its own errors already; help and version are none.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    process.stderr.write(`mop: ${sentenceOf(error)}\n`);
    return 1;
  }
}

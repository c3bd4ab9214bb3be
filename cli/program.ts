import { Command, CommanderError } from "commander";
import { mopPackage } from "../engine/controller/policy/mop-package.js";
import { addDemo } from "./commands/demo.js";
import { addDoctor } from "./commands/doctor.js";
import { addFacts } from "./commands/facts.js";
import { addInit } from "./commands/init.js";
import { addInventory } from "./commands/inventory.js";
import { addPing } from "./commands/ping.js";
import { addLocal, addPush } from "./commands/push.js";
import { addRun } from "./commands/run.js";
import { addRuntime } from "./commands/runtime.js";
import { addTrust } from "./commands/trust.js";
import { addValidate } from "./commands/validate.js";
import { sentenceOf } from "./faults.js";
import { type ReservedStdout, reserveStdout } from "./output/streams.js";
import { readVersion } from "./version.js";

/** What a command's action has to do with its process; commander's actions give nothing back. */
export interface Outcome {
  /** The exit status that it ended with */
  status: number;
  /** Writes to stdout, which is the action's alone under `--output json` */
  print(text: string): void;
}

/** Every command, in the order in which --help lists them. */
export const COMMANDS: readonly ((program: Command, outcome: Outcome) => void)[] = [
  addPush,
  addLocal,
  addValidate,
  addPing,
  addDoctor,
  addRun,
  addFacts,
  addInventory,
  addTrust,
  addRuntime,
  addInit,
  addDemo,
];

/** Commander's "error: ...", with its suggestion on a line of its own, as one sentence like all others. */
function tellUsage(text: string, write: (text: string) => void): void {
  const sentence = text
    .trim()
    .replace(/^error: /, "")
    .replace(/\n\(Did (.*)\?\)$/s, " (did $1?)")
    .replace(
      /(is invalid|for (?:argument )?'\w+')\. (\w)/,
      (_, start, next) => `${start}; ${next.toLowerCase()}`,
    )
    .replace(/\.$/, "");
  write(`mop: ${sentence}; --help tells all options\n`);
}

/** `mop help pish`: what "pish" is told is better than the help of everything. */
function withoutHelpForNothing(args: readonly string[], { commands }: Command): string[] {
  const [help, name] = args;
  const nothing = help === "help" && name !== undefined && !commands.some((one) => one.name() === name);
  return args.slice(nothing ? 1 : 0);
}

/** Runs one command line and gives its exit status; writes to stdout and stderr. Never throws. */
export async function runProgram(args: readonly string[]): Promise<number> {
  let reserved: ReservedStdout | undefined;
  const outcome: Outcome = {
    status: 0,
    print: (text) => (reserved ?? process.stdout).write(text),
  };
  const program = new Command("mop")
    .description("Push typed, idempotent roles to hosts behind nested bastions")
    .version(readVersion(mopPackage()))
    .exitOverride()
    .configureOutput({ outputError: tellUsage })
    .showSuggestionAfterError()
    .hook("preAction", (_program, command) => {
      if (command.opts().output === "json") reserved = reserveStdout();
    })
    .configureHelp({ sortSubcommands: false });
  for (const add of COMMANDS) add(program, outcome);
  // The others inherit nothing: each command is told on its own.
  for (const command of program.commands) command.copyInheritedSettings(program);
  try {
    await program.parseAsync(withoutHelpForNothing(args, program), { from: "user" });
    return outcome.status;
  } catch (error) {
    // Commander has told its own errors already; help and version are none.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    process.stderr.write(`mop: ${sentenceOf(error)}\n`);
    return 1;
  } finally {
    reserved?.release();
  }
}

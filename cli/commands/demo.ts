import { type Command, InvalidArgumentError } from "commander";
import { runDemo } from "../demo/demo.js";
import type { Outcome } from "../program.js";

interface DemoFlags {
  readonly leaves: number;
  readonly delay: number;
  readonly verbose?: boolean;
}

const whole = (least: number, most: number) => (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new InvalidArgumentError(`give a whole number from ${least} to ${most}.`);
  return value;
};

export function addDemo(program: Command, outcome: Outcome): void {
  program
    .command("demo")
    .description("two nested bastions and three leaves on loopback, no root, no Docker")
    .option("--leaves <n>", "hosts behind the second bastion", whole(1, 50), 3)
    .option("--delay <ms>", "one way on the link to the first bastion", whole(0, 2000), 90)
    .option("-v, --verbose", "also what is in order and connects")
    .action(async (flags: DemoFlags) => {
      outcome.status = await runDemo(flags);
    });
}

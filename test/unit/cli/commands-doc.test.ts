import { readFileSync } from "node:fs";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { COMMANDS, type Outcome } from "../../../cli/program.js";

const text = (name: string) => readFileSync(new URL(`../../../${name}`, import.meta.url), "utf8");
// In a table a choice is written with its bar escaped.
const commandsDoc = text("docs/commands.md").replaceAll("\\|", "|");

const program = new Command("mop").version("0");
for (const add of COMMANDS) add(program, { status: 0 } as Outcome);

/** Every flag of every command, help and version among them. */
const flags = new Set(
  [program, ...program.commands].flatMap((command) =>
    command
      .createHelp()
      .visibleOptions(command)
      .flatMap(({ short, long }) => [short, long].filter((flag) => flag !== undefined)),
  ),
);

describe("docs/commands.md", () => {
  it("has every option of every command, long and short, and no other", () => {
    const documented = new Set([...commandsDoc.matchAll(/(?<=`)--?[a-zA-Z][a-z-]*/g)].map(([flag]) => flag));
    expect([...documented].sort()).toEqual([...flags].sort());
  });

  it("has every choice of an option that has choices", () => {
    for (const command of program.commands)
      for (const { long, argChoices } of command.options)
        if (argChoices) expect(commandsDoc).toContain(`\`${long} ${argChoices.join("|")}\``);
  });

  it.each(["docs/commands.md", "README.md"])("and %s: the list of commands is the program's own", (name) => {
    const [, list = ""] = /^#+ Commands$\n+((?: {4}mop .*\n)+)/m.exec(text(name)) ?? [];
    const listed = [...list.matchAll(/^ {4}mop (\w+)/gm)].map(([, command]) => command);
    expect(listed).toEqual(program.commands.map((command) => command.name()));
  });
});

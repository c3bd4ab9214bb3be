import type { Command } from "commander";
import { type FactsEvent, gatherHostFacts } from "../../engine/controller/run/gather-facts.js";
import { targetOptions, withMesh } from "../connect.js";
import { withDefaults } from "../defaults/with-defaults.js";
import { addConnectionOptions, type ConnectionFlags } from "../options.js";
import { safeJson } from "../output/escape.js";
import { factLines } from "../output/facts.js";
import { createStyle, wantsColour } from "../output/style.js";
import { createView } from "../output/view.js";
import type { Outcome } from "../program.js";

interface FactsFlags extends ConnectionFlags {
  readonly local?: boolean;
}

export function addFacts(program: Command, outcome: Outcome): void {
  const command = program
    .command("facts")
    .description("what the hosts are: distribution, addresses, mounts, facts of their own")
    .argument("[names...]", "only these facts: distribution mounts custom");
  addConnectionOptions(command)
    .option("--local", "of this machine; no inventory needed")
    .action(async (names: string[], given: FactsFlags) => {
      const view = createView({ ...given, roles: false }, outcome.print);
      const flags = await withDefaults(given, view.note);
      const textOf = flags.output === "json" ? jsonText : humanText();
      outcome.status = await withMesh(flags, view, async ({ mesh, stop }) => {
        const targets = await targetOptions(flags, view, stop.signal);
        return gatherHostFacts({ ...targets, names, local: flags.local ?? false }, mesh, (event) => {
          if (event.event === "facts") outcome.print(textOf(event));
          else view.report(event);
        });
      });
    });
}

const jsonText = (event: FactsEvent): string => `${safeJson(event)}\n`;

function humanText(): (event: FactsEvent) => string {
  const style = createStyle(wantsColour(process.stdout, process.env));
  return ({ host, facts }) => `${factLines(host, facts, style).join("\n")}\n`;
}

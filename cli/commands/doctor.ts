import type { Command } from "commander";
import { doctorNotes, examine } from "../../engine/controller/run/doctor/doctor.js";
import type { DoctorEvent, FindingStatus } from "../../engine/controller/run/doctor/findings.js";
import { createMeshOver } from "../../relay/mesh/mesh.js";
import { targetOptions, withMesh } from "../connect.js";
import { withDefaults } from "../defaults/with-defaults.js";
import { addConnectionOptions, type ConnectionFlags } from "../options.js";
import { escapeLine, safeJson } from "../output/escape.js";
import { createStyle, type Style, wantsColour } from "../output/style.js";
import { createView } from "../output/view.js";
import type { Outcome } from "../program.js";

export function addDoctor(program: Command, outcome: Outcome): void {
  const command = program
    .command("doctor")
    .description("walk the route to one host, tell what is met at each hop, and what to change")
    .argument("<host>", "of the inventory, or [user@]host[:port]");
  addConnectionOptions(command).action(async (host: string, given: ConnectionFlags) => {
    const view = createView(given, outcome.print);
    const flags = await withDefaults(given, view.note);
    const say = flags.output === "json" ? jsonText : humanText();
    const notes = doctorNotes();
    outcome.status = await withMesh(
      flags,
      view,
      async ({ mesh, stop }) =>
        examine({ ...(await targetOptions(flags, view, stop.signal)), host }, mesh, notes, (event) =>
          outcome.print(say(event)),
        ),
      (options) => createMeshOver(notes, { ...options, pace: "plain", keptRuntimesOnly: true }),
    );
  });
}

const jsonText = (event: DoctorEvent): string => `${safeJson(event)}\n`;

/** One line a finding under its hop's name, and the diagnosis at the end. */
function humanText(): (event: DoctorEvent) => string {
  const style = createStyle(wantsColour(process.stdout, process.env));
  let hop = "";
  return (event) => {
    const text = escapeLine(event.text);
    if (event.event === "diagnosis") return `\n${colourOf(style, event.status)(text)}\n`;
    const head = event.hop === hop ? "" : `${style.bold(escapeLine(event.hop))}\n`;
    hop = event.hop;
    return `${head}  ${colourOf(style, event.status)(event.check.padEnd(14))}  ${text}\n`;
  };
}

const colourOf = (style: Style, status: FindingStatus) =>
  status === "ok" ? style.green : status === "hint" ? style.yellow : style.red;

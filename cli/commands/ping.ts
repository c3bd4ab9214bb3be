import type { Command } from "commander";
import { type PingEvent, pingHosts } from "../../engine/controller/run/ping-hosts.js";
import { targetOptions, withMesh } from "../connect.js";
import { withDefaults } from "../defaults/with-defaults.js";
import { addConnectionOptions, type ConnectionFlags } from "../options.js";
import { escapeLine, safeJson } from "../output/escape.js";
import { createStyle, wantsColour } from "../output/style.js";
import { createView } from "../output/view.js";
import type { Outcome } from "../program.js";

export function addPing(program: Command, outcome: Outcome): void {
  const command = program
    .command("ping")
    .description("reach every host; print its route and the round trip of each hop");
  addConnectionOptions(command).action(async (given: ConnectionFlags) => {
    const view = createView(given, outcome.print);
    const flags = await withDefaults(given, view.note);
    const say = flags.output === "json" ? jsonText : humanText();
    outcome.status = await withMesh(flags, view, async ({ mesh, stop }) =>
      pingHosts({ ...(await targetOptions(flags, stop.signal)), onHosts: view.expect }, mesh, (event) => {
        if (event.event === "ping") outcome.print(say(event));
        else view.report(event);
      }),
    );
  });
}

const jsonText = (event: PingEvent): string => `${safeJson(event)}\n`;

/** "l1  b1 181 ms > b2 0.4 ms > l1 0.5 ms". */
function humanText(): (event: PingEvent) => string {
  const style = createStyle(wantsColour(process.stdout, process.env));
  return ({ host, hops }) => {
    const way = hops.map(({ to, ms }) => `${escapeLine(to)} ${style.dim(formatRoundTrip(ms))}`).join(" > ");
    return `  ${style.green(escapeLine(host))}  ${way}\n`;
  };
}

const formatRoundTrip = (ms: number): string => (ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`);

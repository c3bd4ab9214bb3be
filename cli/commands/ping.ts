import type { Command } from "commander";
import { type PingEvent, pingHosts } from "../../engine/controller/run/ping-hosts.js";
import { pingRoutes, type RouteEvent } from "../../engine/controller/run/ping-routes.js";
import type { RunEvent } from "../../engine/vocabulary/events.js";
import { targetOptions, withMesh } from "../connect.js";
import { withDefaults } from "../defaults/with-defaults.js";
import { addConnectionOptions, type ConnectionFlags } from "../options.js";
import { safeJson } from "../output/escape.js";
import { pingLine } from "../output/ping.js";
import { createStyle, wantsColour } from "../output/style.js";
import { createView } from "../output/view.js";
import type { Outcome } from "../program.js";

interface PingFlags extends ConnectionFlags {
  readonly routes?: boolean;
}

export function addPing(program: Command, outcome: Outcome): void {
  const command = program
    .command("ping")
    .description("reach every host; print its route and the round trip of each hop");
  addConnectionOptions(command)
    .option("--routes", "try every route, also those that leave hops out, and print which are possible")
    .action(async (given: PingFlags) => {
      const view = createView(given, outcome.print);
      const flags = await withDefaults(given, view.note);
      const say = flags.output === "json" ? jsonText : humanText();
      const report = (event: RunEvent | PingEvent | RouteEvent) => {
        if (event.event === "ping" || event.event === "route") outcome.print(say(event));
        else view.report(event);
      };
      outcome.status = await withMesh(flags, view, async ({ mesh, stop }) => {
        const targets = await targetOptions(flags, stop.signal);
        const options = { ...targets, onHosts: view.expect, onWarning: view.note };
        return given.routes ? pingRoutes(options, mesh, report) : pingHosts(options, mesh, report);
      });
    });
}

const jsonText = (event: PingEvent | RouteEvent): string => `${safeJson(event)}\n`;

function humanText(): (event: PingEvent | RouteEvent) => string {
  const style = createStyle(wantsColour(process.stdout, process.env));
  return (event) => `${pingLine(event, style)}\n`;
}

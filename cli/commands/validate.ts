import type { Command } from "commander";
import { validate } from "../../engine/controller/run/validate.js";
import { withDefaults } from "../defaults/with-defaults.js";
import { addConnectionOptions, addRunOptions, type RunFlags } from "../options.js";
import { escapeLine, safeJson } from "../output/escape.js";
import { createStyle, wantsColour } from "../output/style.js";
import { createView } from "../output/view.js";
import type { Outcome } from "../program.js";
import { runOptions } from "./push.js";

export function addValidate(program: Command, outcome: Outcome): void {
  const command = program
    .command("validate")
    .description("find missing files, bad parameters, unknown hosts; contacts nothing")
    .argument("[policy]", "the policy's file or its folder", "policy.ts");
  addRunOptions(addConnectionOptions(command)).action(async (policy: string, flags: RunFlags) => {
    const view = createView(flags, outcome.print);
    // Who contacts nothing needs no password.
    const set = await withDefaults({ ...flags, askPass: false, askBecomePass: false }, view.note);
    const report = await validate(await runOptions(policy, set, view));
    if (flags.output === "json") {
      outcome.print(`${safeJson({ event: "valid", ...report })}\n`);
    } else {
      const style = createStyle(wantsColour(process.stdout, process.env));
      const lines = report.roles.map(
        ({ name, hosts, files }) =>
          `  ${style.bold(escapeLine(name))}  ${count(hosts.length, "host")}, ${count(files.length, "file")}`,
      );
      if (flags.verbose)
        for (const [name, route] of Object.entries(report.routes))
          lines.push(style.dim(`  ${escapeLine(name)}: ${route.map(escapeLine).join(" > ")}`));
      lines.push(
        `${style.green("valid")}  ${escapeLine(report.policy)} with ${escapeLine(report.inventory)}`,
      );
      outcome.print(`${lines.join("\n")}\n`);
    }
    outcome.status = 0;
  });
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;

import type { Command } from "commander";
import {
  type DescribedHost,
  describeInventory,
  type InventoryReport,
} from "../../engine/controller/run/describe-inventory.js";
import { targetOptions } from "../connect.js";
import { withDefaults } from "../defaults/with-defaults.js";
import { addConnectionOptions, type ConnectionFlags } from "../options.js";
import { escapeLine, safeJson } from "../output/escape.js";
import { createStyle, type Style, wantsColour } from "../output/style.js";
import { createView } from "../output/view.js";
import type { Outcome } from "../program.js";

export function addInventory(program: Command, outcome: Outcome): void {
  const command = program
    .command("inventory")
    .description("hosts, groups, variables and routes as they resolve; contacts nothing");
  addConnectionOptions(command).action(async (flags: ConnectionFlags) => {
    const { note } = createView(flags, outcome.print);
    const set = await withDefaults({ ...flags, askPass: false, askBecomePass: false }, note);
    const report = await describeInventory({ ...(await targetOptions(set)), onWarning: note });
    if (flags.output === "json") {
      for (const host of report.hosts) outcome.print(`${safeJson({ event: "inventory", ...host })}\n`);
    } else {
      const style = createStyle(wantsColour(process.stdout, process.env));
      outcome.print(`${inventoryLines(report, style).join("\n")}\n`);
    }
    outcome.status = 0;
  });
}

function wayText(route: DescribedHost["route"], style: Style): string {
  const hops = route.map(({ name, kind, user, address, port, enter, proxyCommand }, index) => {
    if (kind === "local") return `${escapeLine(name)} ${style.dim("(this machine)")}`;
    if (enter) return `${escapeLine(name)} ${style.dim(`(${escapeLine(enter.join(" "))})`)}`;
    const how = index < route.length - 1 && kind !== "relay" ? `, ${kind}` : "";
    const by = proxyCommand === undefined ? "" : `, by ${escapeLine(proxyCommand)}`;
    const at = escapeLine(address.includes(":") ? `[${address}]` : address);
    return `${escapeLine(name)} ${style.dim(`(${escapeLine(user)}@${at}:${port}${how}${by})`)}`;
  });
  return hops.join(" > ");
}

function inventoryLines({ source, hosts, groups }: InventoryReport, style: Style): string[] {
  const lines = [style.bold(escapeLine(source))];
  for (const { name, route, ways = [route], vars, groups: member } of hosts) {
    for (const [index, way] of ways.entries()) {
      const lead = index === 0 ? style.bold(escapeLine(name)) : style.dim("or".padStart(name.length));
      lines.push(`  ${lead}  ${wayText(way, style)}`);
    }
    if (member.length > 0) lines.push(style.dim(`    groups  ${member.map(escapeLine).join(", ")}`));
    for (const [key, value] of Object.entries(vars))
      lines.push(style.dim(`    ${escapeLine(key)} = ${escapeLine(JSON.stringify(value))}`));
  }
  for (const [group, members] of Object.entries(groups))
    lines.push(`  ${style.bold(`[${escapeLine(group)}]`)}  ${members.map(escapeLine).join(", ")}`);
  return lines;
}

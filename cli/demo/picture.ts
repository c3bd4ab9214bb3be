import type { LinkReport } from "../../relay/mesh/types.js";
import { formatBytes } from "../output/bytes.js";

/** Bastions one in another, the leaves in the last; `first` stands on the first link. */
export function treeLines(bastions: readonly string[], leaves: readonly string[], first: string): string[] {
  const lines = ["  controller"];
  for (const [depth, name] of bastions.entries()) {
    const note = depth === 0 ? `   (${first})` : "";
    lines.push(`  ${"   ".repeat(depth)}└─ ${name}${note}`);
  }
  const indent = `  ${"   ".repeat(bastions.length)}`;
  for (const [index, name] of leaves.entries())
    lines.push(`${indent}${index === leaves.length - 1 ? "└─" : "├─"} ${name}`);
  return lines;
}

/** One row a link: bytes there and back in two pushes, and its round trip. */
export function linkTable(
  first: readonly LinkReport[],
  second: readonly LinkReport[],
  roundTrips: ReadonlyMap<string, number>,
): string[] {
  const nameOf = ({ from, to }: LinkReport) => `${from} > ${to}`;
  const again = new Map(second.map((link) => [nameOf(link), link]));
  const both = (link: LinkReport | undefined) =>
    link ? `${formatBytes(link.sent)} / ${formatBytes(link.received)}` : "-";
  const rows = first.map((link) => {
    const ms = roundTrips.get(nameOf(link));
    const trip = ms === undefined ? "-" : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
    return [nameOf(link), both(link), both(again.get(nameOf(link))), trip];
  });
  return columns([["link", "first push, there / back", "second push", "round trip"], ...rows]);
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("   ")}`.trimEnd(),
  );
}

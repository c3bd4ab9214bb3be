import type { HostSummary, SummaryEvent } from "../../engine/vocabulary/events.js";
import { formatBytes, formatMs } from "./bytes.js";
import { escapeLine } from "./escape.js";
import type { Style } from "./style.js";

export interface SummaryOptions {
  readonly style: Style;
  readonly check: boolean;
  /** One row for all hosts that ended alike */
  readonly grouping: boolean;
}

/** Up to `limit` names, then how many more there are. */
export function names(hosts: readonly string[], limit = 6): string {
  const shown = hosts.slice(0, limit).map(escapeLine).join(", ");
  return hosts.length > limit ? `${shown} and ${hosts.length - limit} more` : shown;
}

/** How each host ended, what each link carried, and how long it took. */
export function summaryLines(event: SummaryEvent, options: SummaryOptions): string[] {
  const { dim } = options.style;
  const links = (options.grouping ? together(event.links) : event.links).map(({ from, to, sent, received }) =>
    dim(
      `  ${escapeLine(from)} > ${escapeLine(to)}: ${formatBytes(sent)} sent, ${formatBytes(received)} received`,
    ),
  );
  const rows = options.grouping ? groupRows(event, options) : hostRows(event, options);
  const unchecked = event.unchecked
    ? [options.style.yellow(`  host keys were not checked: ${names(event.unchecked)}`)]
    : [];
  return ["", ...rows, ...links, ...unchecked, dim(`  ${formatMs(event.ms)}`)];
}

/** Links on which nothing goes on to other hosts are told as one for each host that they start from. */
function together(links: SummaryEvent["links"]): SummaryEvent["links"] {
  const inner = new Set(links.map(({ from }) => from));
  const rows = new Map<string, { from: string; to: string; sent: number; received: number; count: number }>();
  for (const link of links) {
    const key = inner.has(link.to) ? JSON.stringify([link.from, link.to]) : link.from;
    const row = rows.get(key) ?? { ...link, sent: 0, received: 0, count: 0 };
    rows.set(key, row);
    row.sent += link.sent;
    row.received += link.received;
    if (++row.count > 1) row.to = `${row.count} hosts`;
  }
  return [...rows.values()];
}

function hostRows({ hosts }: SummaryEvent, options: SummaryOptions): string[] {
  const width = Math.max(0, ...Object.keys(hosts).map((name) => escapeLine(name).length));
  return Object.entries(hosts).map(
    ([name, host]) => `  ${escapeLine(name).padEnd(width)}  ${outcome(host, options)}`,
  );
}

/** Whoever failed or was not reached is named, however many they are: it is what the operator looks for. */
function groupRows({ hosts }: SummaryEvent, options: SummaryOptions): string[] {
  const rows = new Map<string, { members: string[]; bad: boolean }>();
  for (const [name, host] of Object.entries(hosts)) {
    const text = outcome(host, options);
    const row = rows.get(text) ?? { members: [], bad: host.unreachable || host.failed > 0 || !!host.again };
    row.members.push(name);
    rows.set(text, row);
  }
  return [...rows].map(([text, { members, bad }]) => {
    const count = `${String(members.length).padStart(5)} ${members.length === 1 ? "host " : "hosts"}`;
    return `  ${count}  ${text}  ${options.style.dim(names(members, bad ? members.length : undefined))}`;
  });
}

function outcome(host: HostSummary, { style, check }: SummaryOptions): string {
  // One that was lost while its role ran has done something before
  const untouched = host.ok + host.changed + host.failed + host.skipped === 0;
  if (host.unreachable && untouched) return style.red("unreachable");
  const cell = (count: number, word: string, paint: (text: string) => string) =>
    count > 0 ? paint(`${count} ${word}`) : style.dim(`0 ${word}`);
  return [
    cell(host.ok, "ok", style.green),
    cell(host.changed, check ? "would change" : "changed", style.yellow),
    cell(host.failed, "failed", style.red),
    cell(host.skipped, "skipped", style.cyan),
    ...(host.unreachable ? [style.red("unreachable")] : []),
    ...(host.again ? [style.red(`${host.again} changed again`)] : []),
    ...(host.ignored ? [style.yellow(`${host.ignored} ignored`)] : []),
  ].join("  ");
}

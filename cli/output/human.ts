import type {
  HostEvent,
  HostSummary,
  OutputEvent,
  ResourceEvent,
  RoleEvent,
  RunEvent,
  StoppedEvent,
  SummaryEvent,
} from "../../engine/vocabulary/events.js";
import { formatBytes, formatMs } from "./bytes.js";
import { escapeLine, escapeLines } from "./escape.js";
import type { Style } from "./style.js";

export interface HumanOptions {
  readonly style: Style;
  /** Under --check changes are announced, not reported as done */
  readonly check: boolean;
  /** Also resources that are in order, connects and skips */
  readonly verbose: boolean;
  /** More hosts than this: equal lines of several hosts are told once, at the end of the role. Default 10 */
  readonly groupAbove?: number;
}

/** Up to `limit` names, then how many more there are. */
function names(hosts: readonly string[], limit = 6): string {
  const shown = hosts.slice(0, limit).map(escapeLine).join(", ");
  return hosts.length > limit ? `${shown} and ${hosts.length - limit} more` : shown;
}

/**
 * A run as text for people: events in, lines out. Calm with 300 hosts: what went well and alike is told once a role
 * with the hosts' names behind it; failures are told at once.
 */
export class HumanView {
  readonly #options: HumanOptions;
  readonly #seen = new Set<string>();
  /** Lines that wait for the end of their role, with the hosts that said them */
  readonly #groups = new Map<string, { lines: string[]; hosts: string[] }>();
  /** Unfinished last line of each host's output stream */
  readonly #partial = new Map<string, string>();
  /** What was told last of a failed resource, by host; a role that stops of it doesn't say it again */
  readonly #failures = new Map<string, string>();
  #role = "";

  constructor(options: HumanOptions) {
    this.#options = options;
  }

  /** How many hosts take part; decides between telling at once and telling together. */
  expect(hosts: number): void {
    this.#grouping = hosts > (this.#options.groupAbove ?? 10);
  }
  #grouping = false;

  event(event: RunEvent): string[] {
    switch (event.event) {
      case "host":
        return this.#host(event);
      case "resource":
        return [...this.#enter(event.role), ...this.#resource(event)];
      case "output":
        return this.#output(event);
      case "role":
        return [...this.#enter(event.role), ...this.#roleEnd(event)];
      case "stopped":
        return [...this.#enter(event.role), this.#stopped(event)];
      case "summary":
        return [...this.#flush(), ...this.#flushPartial(), ...this.#summary(event)];
    }
  }

  #enter(role: string): string[] {
    if (role === this.#role) return [];
    const lines = this.#flush();
    this.#role = role;
    return [...lines, this.#options.style.bold(`role ${escapeLine(role)}`)];
  }

  #host(event: HostEvent): string[] {
    const { style, verbose } = this.#options;
    const name = escapeLine(event.host);
    if (event.state === "connected") {
      if (!verbose) return [];
      return [
        style.dim(
          `  ${name} connected through ${event.route.map(escapeLine).join(" > ")} in ${formatMs(event.ms)}`,
        ),
      ];
    }
    const where = event.at === event.host ? "" : ` at ${escapeLine(event.at)}`;
    // Most reasons begin with the host that stands in front of them already
    const told = event.reason.startsWith(`${event.at}: `)
      ? event.reason.slice(event.at.length + 2)
      : event.reason;
    return [style.red(`  ${name} unreachable${where}: ${escapeLine(told)}`)];
  }

  #resource(event: ResourceEvent): string[] {
    const { style, check, verbose } = this.#options;
    const what = `${escapeLine(event.type)} ${escapeLine(event.name)}`;
    const changes =
      event.changes.length > 0 ? style.dim(` (${event.changes.map(escapeLine).join(", ")})`) : "";
    const diff = event.diff ? this.#diff(event.diff) : [];
    switch (event.status) {
      case "failed": {
        const error = event.error ?? "no reason given";
        this.#failures.set(event.host, `${event.type} ${event.name}: ${error}`);
        return [this.#line(event.host, style.red("failed"), `${what}: ${escapeLine(error)}`), ...diff];
      }
      case "changed":
        return this.#tell(
          event.host,
          style.yellow(check ? "would change" : "changed"),
          `${what}${changes}`,
          diff,
        );
      case "ok":
        if (event.error !== undefined)
          return this.#tell(event.host, style.yellow("ignored"), `${what}: ${escapeLine(event.error)}`, diff);
        return verbose ? this.#tell(event.host, style.green("ok"), what, diff) : diff;
      case "skipped":
        return verbose ? this.#tell(event.host, style.cyan("skipped"), what, diff) : [];
    }
  }

  #line(host: string, status: string, text: string): string {
    return `  ${escapeLine(host)}  ${status}  ${text}`;
  }

  /** Now, or with its equals when the role ends. */
  #tell(host: string, status: string, text: string, more: string[]): string[] {
    if (!this.#grouping) return [this.#line(host, status, text), ...more];
    const key = [status, text, ...more].join("\n");
    const group = this.#groups.get(key);
    if (group) group.hosts.push(host);
    else this.#groups.set(key, { lines: [`${status}  ${text}`, ...more], hosts: [host] });
    return [];
  }

  #flush(): string[] {
    const lines: string[] = [];
    for (const group of this.#groups.values()) {
      const [first = "", ...rest] = group.lines;
      lines.push(`  ${first}  ${this.#options.style.dim(`on ${names(group.hosts)}`)}`, ...rest);
    }
    this.#groups.clear();
    return lines;
  }

  #diff(diff: string): string[] {
    const { style } = this.#options;
    return escapeLines(diff).map((line) => {
      const text = `      ${line}`;
      if (line.startsWith("+")) return style.green(text);
      if (line.startsWith("-")) return style.red(text);
      return style.dim(text);
    });
  }

  #output(event: OutputEvent): string[] {
    const key = `${event.stream} ${event.host}`;
    const text = (this.#partial.get(key) ?? "") + event.text;
    const end = text.lastIndexOf("\n") + 1;
    this.#partial.set(key, text.slice(end));
    return this.#outputLines(event.host, text.slice(0, end));
  }

  #outputLines(host: string, text: string): string[] {
    const { style } = this.#options;
    return escapeLines(text).map((line) => `  ${escapeLine(host)} ${style.dim("|")} ${line}`);
  }

  #flushPartial(): string[] {
    const lines = [...this.#partial].flatMap(([key, text]) =>
      this.#outputLines(key.slice(key.indexOf(" ") + 1), text),
    );
    this.#partial.clear();
    return lines;
  }

  #roleEnd(event: RoleEvent): string[] {
    const { style, verbose } = this.#options;
    if (event.status === "failed") {
      const key = `${event.host}\n${event.role}\n${event.error}`;
      if (this.#seen.has(key)) return [];
      this.#seen.add(key);
      const error = event.error ?? "the role failed";
      const before = this.#failures.get(event.host);
      const rest = before !== undefined && error.startsWith(before) ? error.slice(before.length) : error;
      const place = /^ \((.*)\)$/s.exec(rest);
      const text = rest === "" ? `role ${event.role}` : place ? `at ${place[1]}` : rest;
      return [this.#line(event.host, style.red("stopped"), escapeLine(text))];
    }
    return verbose ? this.#tell(event.host, style.green("done"), `role ${escapeLine(event.role)}`, []) : [];
  }

  #stopped({ hosts, reason }: StoppedEvent): string {
    const { style } = this.#options;
    return `  ${style.red("not started")} on ${names(hosts)}: ${escapeLine(reason)}`;
  }

  #summary(event: SummaryEvent): string[] {
    const { style, check } = this.#options;
    const hosts = Object.entries(event.hosts);
    const lines = [""];
    const cell = (count: number, word: string, paint: (text: string) => string) =>
      count > 0 ? paint(`${count} ${word}`) : style.dim(`0 ${word}`);
    const changed = check ? "would change" : "changed";
    const cells = (host: HostSummary) =>
      [
        cell(host.ok, "ok", style.green),
        cell(host.changed, changed, style.yellow),
        cell(host.failed, "failed", style.red),
        cell(host.skipped, "skipped", style.cyan),
      ].join("  ");
    // One that was lost while its role ran has done something before
    const row = (host: HostSummary) => {
      if (!host.unreachable) return cells(host);
      const untouched = host.ok + host.changed + host.failed + host.skipped === 0;
      return untouched ? style.red("unreachable") : `${cells(host)}  ${style.red("unreachable")}`;
    };
    const rows = new Map<string, string[]>();
    for (const [name, host] of hosts) {
      const text = row(host);
      const same = rows.get(text);
      if (same && this.#grouping) same.push(name);
      else rows.set(this.#grouping ? text : `${name}\n${text}`, [name]);
    }
    const width = Math.max(0, ...hosts.map(([name]) => escapeLine(name).length));
    for (const [key, list] of rows) {
      const text = this.#grouping ? key : key.slice(key.indexOf("\n") + 1);
      lines.push(
        this.#grouping
          ? `  ${String(list.length).padStart(5)} hosts  ${text}  ${style.dim(names(list))}`
          : `  ${escapeLine(list[0] ?? "").padEnd(width)}  ${text}`,
      );
    }
    for (const link of event.links)
      lines.push(
        style.dim(
          `  ${escapeLine(link.from)} > ${escapeLine(link.to)}: ${formatBytes(link.sent)} sent, ${formatBytes(link.received)} received`,
        ),
      );
    lines.push(style.dim(`  ${formatMs(event.ms)}`));
    return lines;
  }
}

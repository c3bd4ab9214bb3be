import type {
  HopReason,
  HostEvent,
  OutputEvent,
  Pass,
  ResourceEvent,
  RoleEvent,
  RunEvent,
  StoppedEvent,
} from "../../engine/vocabulary/events.js";
import { formatMs } from "./bytes.js";
import { escapeLine, escapeLines } from "./escape.js";
import { Groups } from "./groups.js";
import type { Style } from "./style.js";
import { names, summaryLines } from "./summary.js";

export interface HumanOptions {
  readonly style: Style;
  /** Under --check changes are announced, not reported as done */
  readonly check: boolean;
  /** Also resources that are in order, connects and skips */
  readonly verbose: boolean;
  /** More hosts than this: equal lines of several hosts are told once. Default 10 */
  readonly groupAbove?: number;
  /** False where no role of a policy runs, as in `mop run`. Default true */
  readonly roles?: boolean;
}

/** A reason that begins with the host's name, which stands before it already. */
const without = (host: string, reason: string): string =>
  reason.startsWith(`${host}: `) ? reason.slice(host.length + 2) : reason;

/**
 * A run as text for people: events in, lines out. Calm with 300 hosts: what they say alike is told once a role with
 * the hosts' names behind it; the first failure of each kind is told at once.
 */
export class HumanView {
  readonly #options: HumanOptions;
  readonly #groups = new Groups();
  /** Unfinished last line of each host's output stream */
  readonly #partial = new Map<string, OutputEvent>();
  /** What each host's last failed resource said; a role that stopped of it need not say it again */
  readonly #failures = new Map<string, string>();
  readonly #stopped = new Set<string>();
  /** Bastions of which it was told that they are passed as jumps */
  readonly #jumps = new Set<string>();
  #role = "";
  #grouping = false;

  constructor(options: HumanOptions) {
    this.#options = options;
  }

  /** How many hosts take part; decides between telling at once and telling together. */
  expect(hosts: number): void {
    this.#grouping = hosts > (this.#options.groupAbove ?? 10);
  }

  event(event: RunEvent): string[] {
    switch (event.event) {
      case "host":
        return this.#host(event);
      case "resource":
        return [...this.#enter(event), ...this.#flushPartial(event.host), ...this.#resource(event)];
      case "output":
        return [...this.#enter(event), ...this.#output(event)];
      case "role":
        return [...this.#enter(event), ...this.#flushPartial(event.host), ...this.#roleEnd(event)];
      case "stopped":
        return [...this.#enter(event), this.#notStarted(event)];
      case "summary": {
        const { style, check } = this.#options;
        const summary = summaryLines(event, { style, check, grouping: this.#grouping });
        return [...this.#flushPartial(), ...this.#groups.flush(style.dim), ...summary];
      }
    }
  }

  #enter({ role, pass }: { readonly role?: string; readonly pass?: Pass }): string[] {
    if (role === undefined || this.#options.roles === false) return [];
    const title = `role ${escapeLine(role)}${pass === 2 ? ", once more" : ""}`;
    if (title === this.#role) return [];
    const { bold, dim } = this.#options.style;
    this.#role = title;
    return [...this.#flushPartial(), ...this.#groups.flush(dim), bold(title)];
  }

  #host(event: HostEvent): string[] {
    const { style, verbose } = this.#options;
    if (event.state === "connected") {
      const jumps = this.#newJumps(event.jumps ?? []);
      const detour = event.detours?.at(-1);
      if (detour) return [...jumps, ...this.#detour(event.host, event.route, detour)];
      if (!verbose) return jumps;
      if (this.#grouping) {
        const way = event.route.slice(0, -1).map(escapeLine).join(" > ");
        const how = style.dim(way === "" ? "directly" : `through ${way}`);
        return [...jumps, ...this.#tell(event.host, style.dim("connected"), how)];
      }
      const name = escapeLine(event.host);
      return [
        ...jumps,
        style.dim(
          `  ${name} connected through ${event.route.map(escapeLine).join(" > ")} in ${formatMs(event.ms)}`,
        ),
      ];
    }
    if (event.state === "rebooting") return this.#tell(event.host, style.cyan("restarts"), "");
    const where = event.at === event.host ? "" : ` at ${escapeLine(event.at)}`;
    return this.#urgent(
      event.host,
      style.red(`unreachable${where}`),
      escapeLine(without(event.at, event.reason)),
    );
  }

  /** Once a bastion, not once a host behind it. */
  #newJumps(jumps: readonly HopReason[]): string[] {
    return jumps.flatMap(({ at, reason }) => {
      if (this.#jumps.has(at)) return [];
      this.#jumps.add(at);
      return [this.#line(at, this.#options.style.yellow("passed as a jump"), `since ${escapeLine(reason)}`)];
    });
  }

  /** What failed is worth a look, though the run goes on without it. */
  #detour(host: string, route: readonly string[], { at, reason }: { at: string; reason: string }): string[] {
    const way = route.slice(0, -1).map(escapeLine).join(" > ");
    const why = escapeLine(`${at}: ${without(at, reason)}`);
    return this.#tell(
      host,
      this.#options.style.yellow(way === "" ? "reached directly" : `reached through ${way}`),
      `since ${why}`,
    );
  }

  #resource(event: ResourceEvent): string[] {
    const { style, check, verbose } = this.#options;
    const what = `${escapeLine(event.type)} ${escapeLine(event.name)}`;
    const changes =
      event.changes.length > 0 ? style.dim(` (${event.changes.map(escapeLine).join(", ")})`) : "";
    const diff = event.diff ? this.#diff(event.diff) : [];
    switch (event.status) {
      case "failed": {
        const text = `${what}: ${escapeLine(event.error ?? "no reason given")}`;
        if (event.ignored) return this.#tell(event.host, style.yellow("ignored"), text, diff);
        this.#failures.set(event.host, `${event.type} ${event.name}: ${event.error}`);
        return this.#urgent(event.host, style.red("failed"), text, diff);
      }
      case "changed": {
        if (event.pass === 2)
          return this.#tell(event.host, style.red("changed again"), `${what}${changes}`, diff);
        const status = style.yellow(check ? "would change" : "changed");
        return this.#tell(event.host, status, `${what}${changes}`, diff);
      }
      case "ok":
        return verbose ? this.#tell(event.host, style.green("ok"), what, diff) : diff;
      case "skipped":
        return verbose ? this.#tell(event.host, style.cyan("skipped"), what, diff) : [];
    }
  }

  #roleEnd({ host, role, status, error }: RoleEvent): string[] {
    const { style, verbose } = this.#options;
    if (status === "ok")
      return verbose ? this.#tell(host, style.green("done"), `role ${escapeLine(role)}`) : [];
    const key = JSON.stringify([host, role, error]);
    if (this.#stopped.has(key)) return [];
    this.#stopped.add(key);
    const told = this.#failures.get(host);
    const place =
      told !== undefined && error?.startsWith(told) ? /^ \((.*)\)$/.exec(error.slice(told.length)) : null;
    const text = place?.[1] === undefined ? without(host, error ?? "the role failed") : `at ${place[1]}`;
    return this.#urgent(host, style.red("stopped"), escapeLine(text));
  }

  #notStarted({ hosts, reason }: StoppedEvent): string {
    const { style } = this.#options;
    return `  ${style.red("not started")} on ${names(hosts)}: ${escapeLine(reason)}`;
  }

  #output(event: OutputEvent): string[] {
    const key = `${event.stream} ${event.host}`;
    const text = (this.#partial.get(key)?.text ?? "") + event.text;
    const end = text.lastIndexOf("\n") + 1;
    if (end < text.length) this.#partial.set(key, { ...event, text: text.slice(end) });
    else this.#partial.delete(key);
    return this.#outputLines({ ...event, text: text.slice(0, end) });
  }

  /** What a role says on many hosts alike is told once; what a command says is what was asked for. */
  #outputLines({ host, role, text }: OutputEvent): string[] {
    const { style } = this.#options;
    const lines = escapeLines(text);
    if (lines.length === 0) return [];
    if (role !== undefined && this.#grouping) {
      const more = lines.length > 1 ? style.dim(` (and ${lines.length - 1} more lines)`) : "";
      if (!this.#groups.first(host, [`${style.dim("|")} ${lines[0]}${more}`, ...lines.slice(1)])) return [];
    }
    return lines.map((line) => `  ${escapeLine(host)} ${style.dim("|")} ${line}`);
  }

  /** Unfinished lines of one host, or of all. */
  #flushPartial(host?: string): string[] {
    const lines: string[] = [];
    for (const [key, event] of this.#partial) {
      if (host !== undefined && host !== event.host) continue;
      this.#partial.delete(key);
      lines.push(...this.#outputLines(event));
    }
    return lines;
  }

  #line(host: string, status: string, text: string): string {
    return `  ${escapeLine(host)}  ${status}  ${text}`;
  }

  /** Now, or with its equals when the role ends. */
  #tell(host: string, status: string, text: string, more: readonly string[] = []): string[] {
    if (!this.#grouping) return [this.#line(host, status, text), ...more];
    this.#groups.later(host, [`${status}  ${text}`, ...more]);
    return [];
  }

  /** Now, but for hosts that only say again what another one said in this role. */
  #urgent(host: string, status: string, text: string, more: readonly string[] = []): string[] {
    if (this.#grouping && !this.#groups.first(host, [`${status}  ${text}`, ...more])) return [];
    return [this.#line(host, status, text), ...more];
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
}

import type { HostSummary, ResourceEvent, RoleEvent, RunEvent } from "../../vocabulary/events.js";
import type { HostState } from "./host-state.js";
import type { Report } from "./options.js";

/** Resources that a sentence names */
const NAMED = 5;

/**
 * The second of --verify's two runs: its events carry `"pass": 2`, and what changes once more fails its host, though
 * not before the end: what comes later is to be looked at too.
 */
export class SecondRun {
  readonly #report: Report;
  /** What changed again, by host */
  readonly #again = new Map<string, number>();
  /** The same by host and role, since the role's end */
  readonly #names = new Map<string, string[]>();
  readonly #before: ReadonlyMap<HostState, HostSummary>;

  constructor(report: Report, states: readonly HostState[]) {
    this.#report = report;
    this.#before = new Map(states.map((state) => [state, { ...state.summary }]));
  }

  readonly report = (event: RunEvent): void => {
    switch (event.event) {
      case "resource":
        if (event.status === "changed") this.#changed(event);
        this.#report({ ...event, pass: 2 });
        break;
      case "role":
        this.#report({ ...event, ...this.#verdict(event), pass: 2 });
        break;
      case "output":
      case "stopped":
        this.#report({ ...event, pass: 2 });
        break;
      default:
        this.#report(event);
    }
  };

  #changed({ host, role, type, name, changes }: ResourceEvent): void {
    const key = JSON.stringify([host, role]);
    const what = changes.length > 0 ? ` (${changes.join(", ")})` : "";
    this.#names.set(key, [...(this.#names.get(key) ?? []), `${type} ${name}${what}`]);
    this.#again.set(host, (this.#again.get(host) ?? 0) + 1);
  }

  /** What becomes of a role that went well and yet changed something. */
  #verdict({ host, role, status }: RoleEvent): Pick<RoleEvent, "status" | "error"> | undefined {
    const key = JSON.stringify([host, role]);
    const names = this.#names.get(key);
    this.#names.delete(key);
    return names && status === "ok" ? { status: "failed", error: sentence(names) } : undefined;
  }

  /** The counts are the first run's again, but for failures and what changed once more. */
  conclude(): void {
    for (const [state, before] of this.#before) {
      const again = this.#again.get(state.name);
      state.restore({ ...before, ...(again === undefined ? {} : { again }) });
      if (again !== undefined) state.failed = true;
    }
  }
}

function sentence(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return `the second run changed again what the first had done: ${names.slice(0, NAMED).join(", ")}${more}`;
}

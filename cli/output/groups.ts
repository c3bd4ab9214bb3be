import { names } from "./summary.js";

interface Group {
  readonly lines: readonly string[];
  readonly hosts: string[];
  /** The first host's lines are on the screen already */
  readonly told: boolean;
}

/** What many hosts say alike, told once: all of it when the role ends, or the first at once and the others then. */
export class Groups {
  readonly #groups = new Map<string, Group>();

  /** Waits for its equals. */
  later(host: string, lines: readonly string[]): void {
    this.#add(host, lines, false);
  }

  /** True for the first host that says so: tell it now. */
  first(host: string, lines: readonly string[]): boolean {
    return this.#add(host, lines, true);
  }

  /** All that waited; `dim` paints the hosts' names. */
  flush(dim: (text: string) => string): string[] {
    const lines: string[] = [];
    for (const {
      lines: [first = "", ...rest],
      hosts,
      told,
    } of this.#groups.values()) {
      if (hosts.length === 0) continue;
      lines.push(`  ${first}  ${dim(`${told ? "also on" : "on"} ${names(hosts)}`)}`);
      if (!told) lines.push(...rest);
    }
    this.#groups.clear();
    return lines;
  }

  #add(host: string, lines: readonly string[], told: boolean): boolean {
    const key = lines.join("\n");
    const group = this.#groups.get(key);
    group?.hosts.push(host);
    if (!group) this.#groups.set(key, { lines, hosts: told ? [] : [host], told });
    return group === undefined;
  }
}

import type { ResourceStatus } from "../../vocabulary/events.js";

export interface LoggedRun {
  readonly run: string;
  readonly operator: string;
  readonly role: string;
}

export interface LoggedResource {
  readonly type: string;
  readonly name: string;
  readonly status: ResourceStatus;
  readonly changes: readonly string[];
  readonly error?: string;
}

/** Characters of a line, at most; the whole of a long error is in the run's events */
const MAX_LINE = 2000;

/**
 * One run of one role as lines of the leaf's log, its texts already masked:
 *
 *     2026-11-25T15:16:07.123Z 3f2a alice@laptop web started
 *     2026-11-25T15:16:07.201Z 3f2a alice@laptop web changed file /srv/app.conf (content, mode)
 *     2026-11-25T15:16:07.230Z 3f2a alice@laptop web ended ok: 3 ok, 1 changed, 0 failed, 0 skipped
 */
export class RunLog {
  readonly #head: string;
  readonly #append: (line: string) => void;
  readonly #close: () => Promise<void>;
  readonly #counts: Record<ResourceStatus, number> = { ok: 0, changed: 0, failed: 0, skipped: 0 };

  constructor(
    { run, operator, role }: LoggedRun,
    append: (line: string) => void,
    close: () => Promise<void> = async () => undefined,
  ) {
    this.#head = `${run} ${operator.replace(/\s/g, "_")} ${role}`;
    this.#append = append;
    this.#close = close;
    this.#write("started");
  }

  resource({ type, name, status, changes, error }: LoggedResource): void {
    this.#counts[status]++;
    const what = `${type} ${name}`;
    const more = changes.length > 0 ? ` (${changes.join(", ")})` : "";
    if (status === "changed") this.#write(`changed ${what}${more}`);
    if (status === "failed") this.#write(`failed ${what}: ${error ?? "no reason given"}`);
  }

  end(how: "ok" | "failed" | "interrupted"): void {
    const { ok, changed, failed, skipped } = this.#counts;
    this.#write(`ended ${how}: ${ok} ok, ${changed} changed, ${failed} failed, ${skipped} skipped`);
  }

  close(): Promise<void> {
    return this.#close();
  }

  #write(text: string): void {
    const line = oneLine(`${new Date().toISOString()} ${this.#head} ${text}`);
    this.#append(line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}...` : line);
  }
}

const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Whoever looks at the log has a terminal: control and bidi characters of names and errors are shown. */
const oneLine = (text: string): string =>
  text.replace(UNSAFE, (character) =>
    character === "\n" ? "\\n" : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

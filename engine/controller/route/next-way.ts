import { type ErrorName, MopError } from "../../../transport/errors.js";
import type { Way } from "./ways.js";

/** A way that was tried, and the hop where it ended. */
export interface FailedWay {
  readonly way: Way;
  readonly at: string;
  readonly error: MopError;
}

/** What keeps one host from reaching another, which a third may reach all the same. */
const BETWEEN: ReadonlySet<ErrorName> = new Set<ErrorName>([
  "NAME_NOT_FOUND",
  "CONNECT_REFUSED",
  "CONNECT_TIMEOUT",
  "CONNECT_UNREACHABLE",
  "SSH_CHANNEL_REFUSED",
  "LINK_LOST",
  "NODE_GONE",
  "TIMEOUT",
]);
/** What also shows that it is another host that answers at this address here. */
const ANOTHER_HOST: ReadonlySet<ErrorName> = new Set<ErrorName>([
  "HOST_KEY_UNKNOWN",
  "HOST_KEY_CHANGED",
  "HOST_KEY_REVOKED",
  "SSH_PROTOCOL",
  "SSH_DISCONNECTED",
]);

/** What shows of a host that was dialled directly that we are not where that works; a refused connection is its own. */
const OUTSIDE: ReadonlySet<ErrorName> = new Set<ErrorName>([
  "NAME_NOT_FOUND",
  "CONNECT_TIMEOUT",
  "CONNECT_UNREACHABLE",
  ...ANOTHER_HOST,
]);

export const namesOf = ({ hops }: Way): string[] => hops.map((hop) => hop.target.name);

/** Where on a way an error was; what names no hop of it counts as the host's own. */
const indexOf = (names: readonly string[], at: string): number => {
  const index = names.indexOf(at);
  return index < 0 ? names.length - 1 : index;
};

/** The host that is dialled in place of the hops that were left out */
const isDirect = (way: Way, at: string): boolean => way.skipped.length > 0 && indexOf(namesOf(way), at) === 0;

/** What is left out: hosts behind the same hops are likely to be reached directly all, or none. */
export const shortcutOf = (way: Way): string => JSON.stringify(way.skipped);

/**
 * Whether a way is worth a try after another one failed: it avoids the hop where that ended, or comes to it from another
 * host and it was not that hop's own refusal.
 */
export function isWorthATry(next: Way, { way, at, error }: FailedWay): boolean {
  if (error.code === "CANCELLED") return false;
  const failed = namesOf(way);
  const names = namesOf(next);
  const index = indexOf(failed, at);
  const again = names.indexOf(failed[index]!);
  if (again < 0) return true;
  if (names[again - 1] === failed[index - 1]) return false;
  return BETWEEN.has(error.code) || (isDirect(way, at) && ANOTHER_HOST.has(error.code));
}

/** What was found dead in a run: beginnings of ways, and leaving certain hops out. */
export class DeadWays {
  readonly #beginnings = new Set<string>();
  readonly #shortcuts = new Set<string>();

  note({ way, at, error }: FailedWay): void {
    if (isDirect(way, at) && OUTSIDE.has(error.code)) this.#shortcuts.add(shortcutOf(way));
    const names = namesOf(way);
    this.#beginnings.add(JSON.stringify(names.slice(0, indexOf(names, at) + 1)));
  }

  has(way: Way): boolean {
    if (way.skipped.length > 0 && this.#shortcuts.has(shortcutOf(way))) return true;
    const names = namesOf(way);
    return names.some((_, index) => this.#beginnings.has(JSON.stringify(names.slice(0, index + 1))));
  }
}

/** The way to try next: the first that is worth it, those last of which a part was found dead. */
export function nextWay(
  ways: readonly Way[],
  failed: readonly FailedWay[],
  dead: Pick<DeadWays, "has">,
): Way | undefined {
  const left = ways.filter(
    (way) => !failed.some((one) => one.way === way) && failed.every((one) => isWorthATry(way, one)),
  );
  return left.find((way) => !dead.has(way)) ?? left[0];
}

/** "b1 > l1", or "directly". */
const nameOfWay = (way: Way): string => {
  const before = namesOf(way).slice(0, -1);
  return before.length === 0 ? "directly" : `over ${before.join(" > ")}`;
};

/** One sentence that names every way that was tried and where it ended. */
export function allFailed(name: string, failed: readonly FailedWay[]): MopError {
  const last = failed.at(-1)!;
  if (failed.length === 1) return last.error;
  const tries = failed.map(({ way, at, error }) => {
    const said =
      error.message.startsWith(`${at}: `) || at === name ? error.message : `${at}: ${error.message}`;
    return `${nameOfWay(way)}: ${said.startsWith(`${name}: `) ? said.slice(name.length + 2) : said}`;
  });
  return new MopError(
    last.error.code,
    `none of the ${failed.length} ways that were tried leads to ${name} (${tries.join("; ")})`,
    { cause: last.error },
  );
}

import type { PackageOptions } from "../../../vocabulary/resources.js";
import type { Provider, TypeContext } from "../../../vocabulary/types.js";

/** A package as the manager shall install it. */
export interface Wanted {
  readonly name: string;
  /** Undefined: the one that the manager prefers */
  readonly version?: string;
  /** The version was asked for, and is not just the newest one */
  readonly pinned?: boolean;
}

/** A transaction: the one or the other. */
export type Task = { readonly install: readonly Wanted[] } | { readonly remove: readonly string[] };

/** What becomes of a package in a transaction. */
export interface Fate {
  readonly name: string;
  /** Undefined: the manager does not say, or it is not there */
  readonly before?: string | undefined;
  /** Undefined: it goes */
  readonly after?: string | undefined;
}

/** What the manager knows of a name; a name that is missing is not known. */
export type Versions = ReadonlyMap<string, string>;

export interface PackageProvider extends Provider {
  /** Versions of those that are installed */
  installed(context: TypeContext, names: readonly string[], options: PackageOptions): Promise<Versions>;
  /**
   * The version that would be installed of each, by the lists as they are; `installed` where nothing is newer. Names
   * that can't be installed are missing.
   */
  offered(
    context: TypeContext,
    names: readonly string[],
    installed: Versions,
    options: PackageOptions,
  ): Promise<Versions>;
  /** All versions that can be had, the preferred one first; a manager without it has one of each */
  choices?(context: TypeContext, name: string, options: PackageOptions): Promise<readonly string[]>;
  /** Fetches the lists; a manager without it has none */
  refresh?(context: TypeContext): Promise<void>;
  /** All of them in one transaction; those with a version may be installed in another one, up or down */
  install(context: TypeContext, packages: readonly Wanted[], options: PackageOptions): Promise<void>;
  remove(context: TypeContext, names: readonly string[], options: PackageOptions): Promise<void>;
  /**
   * Has the manager work out the transaction without doing it: gives what would become of packages, asked for or not,
   * and throws a Refusal where the manager would refuse it. A manager without it says so only when it is told to do it.
   */
  rehearse?(context: TypeContext, task: Task, options: PackageOptions): Promise<readonly Fate[]>;
  /** Throws a Refusal where the host can't have it at all */
  possible?(context: TypeContext, options: PackageOptions): Promise<void>;
}

/** Lines that are not empty, each cut at a separator. */
export function rows(text: string, separator: string | RegExp): string[][] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => line.split(separator));
}

import type { Facts } from "../vocabulary/facts.js";
import type { Vars } from "../vocabulary/language.js";
import type { CommonOptions, Result } from "../vocabulary/resources.js";
import type { Files } from "./files/files.js";
import type { OfferedFiles } from "./files/offered.js";
import type { OptionRules } from "./options.js";
import type { Children } from "./process/children.js";

/** Renders a template: a file that was offered, or a text with a name for its errors. */
export interface Renderer {
  file(path: string, local: Vars): Promise<string>;
  text(text: string, local: Vars): Promise<string>;
}

/** What a type works with. */
export interface TypeContext {
  readonly check: boolean;
  readonly diff: boolean;
  readonly facts: Facts;
  /** The host's file system; under --check with what was planned so far laid over it */
  readonly files: Files;
  readonly offered: OfferedFiles;
  readonly children: Children;
  readonly renderer: Renderer;
  /** Aborted by the resource's timeout and by a cancelled run; its reason is an Error */
  readonly signal: AbortSignal;
  output(stream: "stdout" | "stderr", text: string): Promise<void>;
}

/** What a resource would do. Empty `actions`: nothing to do. */
export interface Plan<R extends Result = Result> {
  /** In the order in which they are carried out: "create", "mode", ... */
  readonly actions: readonly string[];
  readonly diff?: string;
  /**
   * Carries out exactly the actions and gives the names of what it did, compared with the plan afterwards. Called at
   * most once; under --check never, but for a plan that is `readOnly`.
   */
  apply(): Promise<readonly string[]>;
  /** Runs under --check as well, since it changes nothing */
  readonly readOnly?: boolean;
  /** Lays the outcome over `files`, for the resources that come later under --check */
  foresee?(): void;
  /** What the result has beside the fields of all; read after `apply`, or instead of it */
  extra?(): Omit<R, keyof Result>;
  /** Why it counts as failed though `apply` went through (a status that is not 0) */
  failure?(): string | undefined;
}

/** The plan of a resource that is as it shall be. */
export const NOTHING: Plan = { actions: [], apply: async () => [] };

/** A resource type: options and how to plan. One place per type, in types/. */
export interface ResourceType<O extends CommonOptions<R>, R extends Result = Result> {
  readonly name: string;
  /** Its own options; those of all types come on top */
  readonly options: OptionRules<Omit<O, keyof CommonOptions>>;
  plan(context: TypeContext, name: string, options: O): Promise<Plan<R>>;
  /**
   * What a result has beside the fields of all when the resource was skipped or failed before it ran. A type that has
   * this knows its result only when it ran: under --check nobody's functions are asked about it.
   */
  readonly blank?: Omit<R, keyof Result>;
}

import type { Facts } from "./facts.js";
import { MARK } from "./mark.js";
import type { CommonOptions, ProviderOptions, Result } from "./resources/common.js";

/** What an option may be: words for the error ("must be ..."), and the test. */
export interface Rule {
  readonly expected: string;
  test(value: unknown): boolean;
}

/** A rule for each option of `O`, and for nothing else. */
export type OptionRules<O> = { readonly [Name in keyof Required<O>]: Rule };

export interface ExecOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  /** Statuses that are no failure; "any" for all. Default [0] */
  readonly accept?: readonly number[] | "any";
}

export interface ExecResult {
  /** Exit status; 127: there is no such program; -1: ended by a signal */
  readonly rc: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a type works with, on the host. */
export interface TypeContext {
  readonly check: boolean;
  readonly diff: boolean;
  readonly facts: Facts;
  /** Aborted by the resource's timeout and by a cancelled run; its reason is an Error */
  readonly signal: AbortSignal;
  /**
   * Runs a program without a shell, in the locale C; nothing of it reaches the operator. Rejects with a Refusal that
   * tells the program's last line when its status is none of `accept`. Under --check only for what changes nothing.
   */
  exec(program: string, args: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** A file's content, under --check as planned; undefined where there is none, or where it is not known yet. */
  read(path: string): Promise<string | undefined>;
  /** Under --check: something was not done whose effects are not known, so what is missing may be there by then. */
  uncertain(): boolean;
  /** Says something to the operator. */
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
  /** Under --check, instead of `apply`: lets later resources see the outcome. Without it they know that they don't. */
  foresee?(): void;
  /** What the result has beside the fields of all; read after `apply`, or instead of it */
  extra?(): Omit<R, keyof Result>;
  /** Why it counts as failed though `apply` went through (a status that is not 0) */
  failure?(): string | undefined;
}

/** One of the ways in which a type is done: apt and dnf for `package`. */
export interface Provider {
  readonly name: string;
  /** Whether it is this host's way */
  suits(facts: Facts): boolean;
}

/** A resource type: its options and how it plans. `C` is what the built-in types see beside the public context. */
export interface ResourceType<
  O extends CommonOptions<R> = CommonOptions,
  R extends Result = Result,
  P extends Provider | undefined = undefined,
  C extends TypeContext = TypeContext,
> {
  readonly name: string;
  /** Its own options; those of all types, and `provider` where it has several, come on top */
  readonly options: OptionRules<Omit<O, keyof CommonOptions | keyof ProviderOptions>>;
  /** The first that suits the host is taken, unless the option `provider` names one; a role may bring more */
  readonly providers?: readonly NonNullable<P>[];
  plan(context: C, name: string, options: O, provider: P): Promise<Plan<R>>;
  /**
   * What a result has beside the fields of all when the resource was skipped or failed before it ran. A type that has
   * this knows its result only when it ran: nobody's functions are asked about one that did not.
   */
  readonly blank?: Omit<R, keyof Result>;
}

export interface TypeDefinition<
  O extends CommonOptions<R> = CommonOptions,
  R extends Result = Result,
  P extends Provider | undefined = undefined,
> extends ResourceType<O, R, P> {
  readonly [MARK]: "type";
}

/** A resource type of one's own; a role names it in `types` and gets it as a function beside the built-in ones. */
export function defineType<
  O extends CommonOptions<R> = CommonOptions,
  R extends Result = Result,
  P extends Provider | undefined = undefined,
>(definition: ResourceType<O, R, P>): TypeDefinition<O, R, P> {
  return { ...definition, [MARK]: "type" };
}

export interface ProviderDefinition<P extends Provider = Provider> {
  readonly [MARK]: "provider";
  /** The type that it implements: "package" */
  readonly type: string;
  readonly provider: P;
}

/** Another way of doing a type, for the roles that name it in `providers`; it comes before the built-in ones. */
export function defineProvider<P extends Provider>(type: string, provider: P): ProviderDefinition<P> {
  return { type, provider, [MARK]: "provider" };
}

/** The functions that a role gets for its own types. */
export type TypeFunctions<T> = {
  readonly [K in keyof T]: T[K] extends ResourceType<infer O, infer R, infer _P>
    ? (name: string, options?: O) => Promise<R>
    : never;
};

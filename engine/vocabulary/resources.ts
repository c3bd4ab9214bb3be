import type { Facts } from "./facts.js";
import type { Vars } from "./language.js";
import type { HostView } from "./order.js";

/** What every resource gives. */
export interface Result {
  readonly changed: boolean;
  readonly failed: boolean;
  readonly skipped: boolean;
  /** What was changed, or would be under --check: "create", "content", "mode", "owner", ... */
  readonly changes: readonly string[];
  /** Unified diff, where the type has one and --diff was given */
  readonly diff?: string;
  /** Why it failed, when the failure was ignored */
  readonly error?: string;
}

export interface ShellResult extends Result {
  /** Exit status; -1 when a signal ended it, null when it was not run */
  readonly rc: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options that every resource takes. */
export interface CommonOptions<R extends Result = Result> {
  /** Go on after a failure; the result says `failed` and `error` */
  ignoreErrors?: boolean;
  /** Decides whether it counts as a change */
  changedWhen?: boolean | ((result: R) => boolean);
  /** Decides whether it failed */
  failedWhen?: boolean | ((result: R) => boolean);
  /** Seconds */
  timeout?: number;
  tags?: readonly string[];
}

export interface OwnershipOptions {
  /** User name or id */
  owner?: string | number;
  /** Group name or id */
  group?: string | number;
  /** Permission bits, as 0o644, or the same as an octal string */
  mode?: number | string;
}

export interface FileOptions extends CommonOptions, OwnershipOptions {
  /** The content itself; exactly one of content, source, template, absent, or none to manage attributes only */
  content?: string | Uint8Array;
  /** A file beside the policy */
  source?: string;
  /** A Jinja template beside the policy */
  template?: string;
  /** Local scope of the template: over the role's variables */
  vars?: Vars;
  absent?: boolean;
  /** false: an existing file's content is left alone. Default true */
  overwrite?: boolean;
}

export interface DirectoryOptions extends CommonOptions, OwnershipOptions {
  absent?: boolean;
  /** Owner, group and mode of everything below too; with `absent`, required to remove a folder that is not empty */
  recursive?: boolean;
}

export interface LinkOptions extends CommonOptions {
  /** What the symbolic link points to; required unless absent */
  to?: string;
  absent?: boolean;
  /** Replace a file that stands there. Default false */
  force?: boolean;
}

export interface ShellOptions extends CommonOptions<ShellResult> {
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  stdin?: string | Uint8Array;
  /** Runs under --check too and never counts as a change */
  readOnly?: boolean;
}

/** Everything that `main` is given. */
export interface RoleContext<V extends Vars = Vars> {
  readonly vars: Readonly<V & Vars>;
  readonly facts: Facts;
  readonly host: HostView;
  /** Under --check */
  readonly check: boolean;
  file(path: string, options?: FileOptions): Promise<Result>;
  directory(path: string, options?: DirectoryOptions): Promise<Result>;
  link(path: string, options: LinkOptions): Promise<Result>;
  shell(command: string, options?: ShellOptions): Promise<ShellResult>;
  /** Says something to the operator; a template over the role's variables and facts */
  echo(message: string, options?: CommonOptions & { vars?: Vars }): Promise<Result>;
}

/** What every resource gives. */
export interface Result {
  /** Something was changed, or would be under --check */
  readonly changed: boolean;
  /** It failed, and `ignoreErrors` let the role go on */
  readonly failed: boolean;
  /** It was not run: left out by its tags, or a command under --check that never counts as a change */
  readonly skipped: boolean;
  /** What was changed, or would be under --check: "create", "content", "mode", "owner", ... */
  readonly changes: readonly string[];
  /** Unified diff, where the type has one and --diff was given */
  readonly diff?: string;
  /** Why it failed, when the failure was ignored */
  readonly error?: string;
}

/** Asked about a result; a type may promise more of those that its rules see than of all (`rc` is a number there). */
type Rule<R> = { ask(result: R): boolean }["ask"];

/** Options that every resource takes. */
export interface CommonOptions<R extends Result = Result> {
  /** Go on after a failure; the result says `failed` and `error` */
  ignoreErrors?: boolean;
  /** Decides whether it counts as a change */
  changedWhen?: boolean | Rule<R>;
  /** Decides whether it failed */
  failedWhen?: boolean | Rule<R>;
  /** Seconds, for each try */
  timeout?: number;
  /** For --tags and --skip-tags, beside those of the role's entry */
  tags?: readonly string[];
  /**
   * The user on whose behalf it is done. Needs a role that runs as root, or a sudo that asks nothing. Default: the one
   * that the role runs as
   */
  as?: string;
  /** How often it is tried again when it failed, or when `until` gave false. Default 0, with `until` 3 */
  retries?: number;
  /** Seconds between two tries. Default 1 */
  delay?: number;
  /** Tried again until this gives true; it fails when it never does. Not asked under --check */
  until?(result: R): boolean;
}

/** Options of types that can be done in several ways. */
export interface ProviderOptions {
  /** Name of the provider. Default: the first that suits the host */
  provider?: string;
}

export interface OwnershipOptions {
  /** User name or id. Default: as it is */
  owner?: string | number;
  /** Group name or id. Default: as it is */
  group?: string | number;
  /** Permission bits: 0o644, or the same as an octal string. Default: as they are */
  mode?: number | string;
}

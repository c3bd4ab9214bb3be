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

/** Options that every resource takes. */
export interface CommonOptions<R extends Result = Result> {
  /** Go on after a failure; the result says `failed` and `error` */
  ignoreErrors?: boolean;
  /** Decides whether it counts as a change */
  changedWhen?: boolean | ((result: R) => boolean);
  /** Decides whether it failed */
  failedWhen?: boolean | ((result: R) => boolean);
  /** Seconds, for each try */
  timeout?: number;
  tags?: readonly string[];
  /**
   * The user on whose behalf it is done; default: the one that the role runs as. Needs a role that runs as root, or a
   * sudo that asks nothing
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
  /** Name of the provider; default: the first that suits the host */
  provider?: string;
}

export interface OwnershipOptions {
  /** User name or id */
  owner?: string | number;
  /** Group name or id */
  group?: string | number;
  /** Permission bits, as 0o644, or the same as an octal string */
  mode?: number | string;
}

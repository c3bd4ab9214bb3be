import type { Value } from "../../transport/types.js";

/**
 * What the controller's wing sends to the leaf's: one order per role and host, a Value in CBOR. What all hosts of a
 * role share is a blob of its own (`plan`), so that it crosses each link once.
 */
export type LeafOrder = RoleOrder | CommandOrder | CallOrder | FactsOrder;

export interface RoleOrder {
  readonly kind: "role";
  /** Hash of the encoded RolePlan */
  readonly plan: string;
  readonly host: HostView;
  /** This host's variables: what stands over the plan's */
  readonly vars: { readonly [name: string]: Value };
  /** What of the plan's variables is secret: every relay keeps the plan, while this order is sealed to the host */
  readonly secretVars?: SecretVars;
  /** Texts in all these variables that are masked wherever they would be shown */
  readonly secrets: readonly string[];
  /** Where this host's log is kept; null: nowhere */
  readonly log: LogOrder | null;
  /** Behind a reboot: what the role's resources gave before it, in order, and what the host's start was called then */
  readonly resume?: { readonly done: readonly Value[]; readonly boot: string };
  /** What the controller has of this host's files: folder of the plan's `fetchTo` to path on the host to SHA-256 */
  readonly held?: { readonly [folder: string]: { readonly [path: string]: string } };
  /** Under --check: an earlier role of this run was looked through by the same node, which kept what it planned */
  readonly follows?: boolean;
  /** Under --check: an earlier role would have changed something on this host that this node knows nothing of */
  readonly unsure?: boolean;
}

/** What a leaf's own log is told, and where it is. */
export interface LogOrder {
  /** "~/" is the home of the user that the leaf runs as */
  readonly path: string;
  /** "alice@laptop" */
  readonly operator: string;
  /** The run's id, the same on all its hosts */
  readonly run: string;
}

/** Variables that belong to a plan's. */
export type SecretVars = Pick<RolePlan, "vars" | "extraVars">;

/** What `main` sees as `host`. */
export interface HostView {
  readonly name: string;
  readonly groups: readonly string[];
}

export interface RolePlan {
  readonly role: string;
  /** Hash of the role's own code (CommonJS, brotli is the link's business); exports `role` */
  readonly module: string;
  /** Import specifier to hash of a CommonJS module, for npm packages */
  readonly packages: { readonly [specifier: string]: string };
  /** Wing parts beside the entry: name ("templates") to hash */
  readonly parts: { readonly [name: string]: string };
  /** Names of the parts that the role's text seems to use: they are on their way */
  readonly likely: readonly string[];
  /** Files that the role may use, by path relative to the policy's folder, "/" between parts */
  readonly files: { readonly [path: string]: OfferedFile };
  /** Folders that `files` has as a whole */
  readonly trees?: readonly string[];
  /** Folders of the policy's that files of hosts may be fetched to */
  readonly fetchTo?: readonly string[];
  /** Those that hold nothing secret, as is `extraVars`; the others are in the order */
  readonly vars: { readonly [name: string]: Value };
  /** --extra-vars: over everything */
  readonly extraVars: { readonly [name: string]: Value };
  readonly check: boolean;
  readonly diff: boolean;
  /** --tags and --skip-tags; null: not given */
  readonly tags: readonly string[] | null;
  readonly skipTags: readonly string[];
  /** Tags of the role's entry: its resources have them too */
  readonly roleTags: readonly string[];
}

export interface OfferedFile {
  readonly size: number;
  /** SHA-256 of the whole content */
  readonly hash: string;
  /** Hashes of its pieces of FILE_CHUNK bytes, in order, when it is larger than one; else empty: `hash` is the blob */
  readonly chunks: readonly string[];
  /** Executable bit on the controller; nothing else of its mode travels */
  readonly executable: boolean;
}

/** Larger files travel in pieces of this many bytes, so that relays can verify and pass on while it flows. */
export const FILE_CHUNK = 512 * 1024;

export interface CommandOrder {
  readonly kind: "command";
  /** Run by the user's shell as `ssh host command` would */
  readonly command: string;
  readonly timeoutMs: number | null;
}

export interface CallOrder {
  readonly kind: "call";
  readonly module: string;
  readonly packages: { readonly [specifier: string]: string };
  /** Name under which the module exports the function */
  readonly export: string;
  readonly args: readonly Value[];
}

/** `mop facts` */
export interface FactsOrder {
  readonly kind: "facts";
  /** Wing parts that may be needed: name to hash */
  readonly parts: { readonly [name: string]: string };
  /** Which facts; empty: all */
  readonly names: readonly string[];
}

/** The wing's last word. A failed role is no MopError: the leaf did its work and says so here. */
export type LeafResult =
  | { readonly kind: "role"; readonly status: "ok" | "failed"; readonly error: string | null }
  /** The host is about to restart; the role goes on with an order that has `resume` */
  | {
      readonly kind: "reboot";
      readonly done: readonly Value[];
      readonly boot: string;
      /** Milliseconds that the host may take */
      readonly waitMs: number;
    }
  | { readonly kind: "command"; readonly rc: number; readonly signal: string | null }
  | { readonly kind: "call"; readonly value: Value }
  /** What could be gathered, and why something could not be */
  | {
      readonly kind: "facts";
      readonly facts: { readonly [name: string]: Value };
      readonly error: string | null;
    }
  | { readonly kind: "error"; readonly message: string; readonly stack: string | null };

import type { ErrorName } from "../../transport/errors.js";

/** What a run reports, from the leaf to the command line: interface.md, section 4. */

/** Under --verify the second of its two runs; absent: the first, or the only one */
export type Pass = 2;

export type ResourceStatus = "ok" | "changed" | "failed" | "skipped";

export interface ResourceEvent {
  readonly event: "resource";
  readonly host: string;
  readonly role: string;
  /** The resource's type, "file" */
  readonly type: string;
  readonly name: string;
  readonly status: ResourceStatus;
  readonly changes: readonly string[];
  readonly diff?: string;
  /** Set when failed, and when a failure was ignored */
  readonly error?: string;
  /** The failure was ignored (`ignoreErrors`): the role went on, and the host did not fail of it */
  readonly ignored?: true;
  readonly ms: number;
  readonly pass?: Pass;
}

export interface OutputEvent {
  readonly event: "output";
  readonly host: string;
  /** Absent where no role runs, as in `mop run` */
  readonly role?: string;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
  readonly pass?: Pass;
}

export interface RoleEvent {
  readonly event: "role";
  readonly host: string;
  readonly role: string;
  readonly status: "ok" | "failed";
  readonly error?: string;
  readonly pass?: Pass;
}

/** A role was not started on these hosts: something failed before. */
export interface StoppedEvent {
  readonly event: "stopped";
  readonly role: string;
  readonly hosts: readonly string[];
  readonly reason: string;
  readonly pass?: Pass;
}

/** A piece of a file that the role fetches; nobody but the controller's wing sees it. */
export interface FetchEvent {
  readonly event: "fetch";
  /** The folder that the role named */
  readonly folder: string;
  /** Absolute path on the host */
  readonly path: string;
  /** Of the whole file: bytes, and SHA-256 */
  readonly size: number;
  readonly hash: string;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A hop of a way, and what is to be said of it. */
export interface HopReason {
  readonly at: string;
  readonly reason: string;
}

export type HostEvent =
  | {
      readonly event: "host";
      readonly host: string;
      readonly state: "connected";
      readonly route: readonly string[];
      readonly ms: number;
      /** Hops that failed on ways that were tried before this one */
      readonly detours?: readonly HopReason[];
      /** Hops that are passed as jumps, since no node could be had there */
      readonly jumps?: readonly HopReason[];
    }
  /** It restarts for a role, which goes on when it is back */
  | { readonly event: "host"; readonly host: string; readonly state: "rebooting" }
  | {
      readonly event: "host";
      readonly host: string;
      readonly state: "unreachable";
      readonly at: string;
      /** Which kind of cause, for programs: docs/protocol.md lists them */
      readonly code: ErrorName;
      readonly reason: string;
    };

export interface HostSummary {
  ok: number;
  changed: number;
  failed: number;
  skipped: number;
  /** Failures that were ignored; they are not among the failed. Absent: none */
  ignored?: number;
  /** Resources that changed again in the second run of --verify; absent: none */
  again?: number;
  unreachable: boolean;
}

export interface SummaryEvent {
  readonly event: "summary";
  readonly hosts: Readonly<Record<string, HostSummary>>;
  readonly links: readonly {
    readonly from: string;
    readonly to: string;
    readonly sent: number;
    readonly received: number;
  }[];
  /** Hosts, bastions too, that were contacted without a look at their keys (`--host-keys off`); absent: none */
  readonly unchecked?: readonly string[];
  readonly ms: number;
}

export type RunEvent = HostEvent | ResourceEvent | OutputEvent | RoleEvent | StoppedEvent | SummaryEvent;

/** Something in passing that is no part of what the role does: its log can't be written. */
export interface NoticeEvent {
  readonly event: "notice";
  readonly text: string;
}

/** What a leaf sends: the same events without the host, which the controller knows from the route. */
export type LeafEvent =
  | Omit<ResourceEvent, "host" | "pass">
  | Omit<OutputEvent, "host" | "pass">
  | Omit<RoleEvent, "host" | "pass">
  | FetchEvent
  | NoticeEvent;

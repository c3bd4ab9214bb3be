/** What a run reports, from the leaf to the command line: interface.md, section 4. */

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
}

export interface OutputEvent {
  readonly event: "output";
  readonly host: string;
  /** Absent where no role runs, as in `mop run` */
  readonly role?: string;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

export interface RoleEvent {
  readonly event: "role";
  readonly host: string;
  readonly role: string;
  readonly status: "ok" | "failed";
  readonly error?: string;
}

/** A role was not started on these hosts: something failed before. */
export interface StoppedEvent {
  readonly event: "stopped";
  readonly role: string;
  readonly hosts: readonly string[];
  readonly reason: string;
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

export type HostEvent =
  | {
      readonly event: "host";
      readonly host: string;
      readonly state: "connected";
      readonly route: readonly string[];
      readonly ms: number;
    }
  | {
      readonly event: "host";
      readonly host: string;
      readonly state: "unreachable";
      readonly at: string;
      readonly reason: string;
    };

export interface HostSummary {
  ok: number;
  changed: number;
  failed: number;
  skipped: number;
  /** Failures that were ignored; they are not among the failed. Absent: none */
  ignored?: number;
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
  readonly ms: number;
}

export type RunEvent = HostEvent | ResourceEvent | OutputEvent | RoleEvent | StoppedEvent | SummaryEvent;

/** What a leaf sends: the same events without the host, which the controller knows from the route. */
export type LeafEvent =
  | Omit<ResourceEvent, "host">
  | Omit<OutputEvent, "host">
  | Omit<RoleEvent, "host">
  | FetchEvent;

import type { HostSummary, RunEvent, SummaryEvent } from "../../vocabulary/events.js";
import type { InventorySource } from "../../vocabulary/language.js";
import type { MopPackage } from "../policy/mop-package.js";
import type { BecomeOptions } from "../route/become.js";
import type { RouteOptions } from "../route/routes.js";
import type { PlainVars } from "../variables.js";
import type { LeafLogOptions } from "./leaf-log.js";

/** Which hosts, and how to get there: what push, run and ping share. */
export interface TargetOptions {
  /** Inventory file, or what a policy may give; default: the policy's own, else ./inventory.toml */
  readonly inventory?: string | InventorySource | undefined;
  readonly limitHosts?: readonly string[] | undefined;
  readonly limitGroups?: readonly string[] | undefined;
  readonly routes?: RouteOptions;
  readonly become?: BecomeOptions | undefined;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  /** What the operator should know in passing */
  readonly onWarning?: (text: string) => void;
  /** Nothing is done over the mesh afterwards: it is closed together with the run's last question to it */
  readonly closes?: boolean;
}

export interface RunOptions extends TargetOptions {
  /** The policy's file or its folder */
  readonly policy: string;
  /** This machine instead of the inventory's hosts (`mop local`) */
  readonly local?: boolean;
  readonly check?: boolean;
  readonly diff?: boolean;
  /** Run everything twice: what the second run changes again fails its host. Not together with `check` */
  readonly verify?: boolean;
  /** The log that each leaf keeps of what runs there; false: none */
  readonly log?: LeafLogOptions | false | undefined;
  readonly extraVars?: PlainVars;
  readonly tags?: readonly string[] | undefined;
  readonly skipTags?: readonly string[] | undefined;
  /** Run the type checker over the policy first. Default true */
  readonly typeCheck?: boolean;
  /** The package whose build serves; tests give another */
  readonly mop?: MopPackage;
}

export type Report = (event: RunEvent) => void;

export interface RunResult {
  readonly summary: SummaryEvent;
  readonly hosts: Readonly<Record<string, HostSummary>>;
  /** Hosts whose part of a role, or whose command, failed */
  readonly failed: readonly string[];
  readonly unreachable: readonly string[];
  readonly interrupted: boolean;
}

/** 0 done, 2 a host failed, 4 a host was unreachable (2 wins), 130 interrupted. */
export function exitStatus(
  result: Pick<RunResult, "failed" | "unreachable" | "interrupted">,
): 0 | 2 | 4 | 130 {
  if (result.interrupted) return 130;
  if (result.failed.length > 0) return 2;
  return result.unreachable.length > 0 ? 4 : 0;
}

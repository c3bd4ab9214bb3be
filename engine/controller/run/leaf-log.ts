import { randomBytes } from "node:crypto";
import os from "node:os";
import type { LogOrder } from "../../vocabulary/order.js";

/** The logs that leaves keep of their runs. */
export interface LeafLogOptions {
  /** On each leaf; "~/" is the home of the user that the role runs as. Default "~/.mop/mop.log" */
  readonly path?: string | undefined;
  /** Who runs this, for the log. Default: the user and machine at hand */
  readonly operator?: string | undefined;
  /** The run's id, for the log. Default: a random one */
  readonly run?: string | undefined;
}

export const LEAF_LOG = "~/.mop/mop.log";

export const logOrder = ({ path = LEAF_LOG, operator, run }: LeafLogOptions): LogOrder => ({
  path,
  operator: operator ?? operatorName(),
  run: run ?? runId(),
});

/** Short, for titles of processes and logs. */
export const runId = (): string => randomBytes(2).toString("hex");

/** "alice@laptop"; what an administrator of a bastion sees in the process title. */
export function operatorName(): string {
  const { USER, LOGNAME } = process.env;
  let name = USER ?? LOGNAME;
  try {
    name ??= os.userInfo().username;
  } catch {
    // A user id without an entry has no name
  }
  return `${name ?? process.getuid?.() ?? "somebody"}@${os.hostname()}`;
}

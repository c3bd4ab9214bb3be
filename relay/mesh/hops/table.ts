import type { HopKind } from "../types.js";
import { command } from "./command.js";
import type { HopWay } from "./hop.js";
import { jump } from "./jump.js";
import { local } from "./local.js";
import { sshNode } from "./ssh-node.js";

/** Every kind of hop. */
export const HOPS: Readonly<Record<HopKind, HopWay>> = {
  relay: sshNode(true),
  sealed: sshNode(false),
  jump,
  local,
  command,
};

import { createHash } from "node:crypto";
import type { BootOrder } from "../orders.js";
import type { Become } from "./become.js";
import { type BootCommand, bootCommand } from "./command.js";

/** The core as it travels, with what the boot command says of it. */
export interface Core {
  /** Brotli */
  readonly bytes: Uint8Array;
  /** SHA-256 of `bytes`, hex */
  readonly hash: string;
}

export function coreOf(bytes: Uint8Array): Core {
  return { bytes, hash: createHash("sha256").update(bytes).digest("hex") };
}

/** What a boot command for one node is built from; `node` is the path of the host's Node or empty. */
export function commandOptions(
  core: Core,
  order: BootOrder,
  node: string,
  become?: Become,
  runtimes?: BootCommand["runtimes"],
): BootCommand {
  const { nonce, title } = order;
  return { node, nonce, size: core.bytes.length, hash: core.hash, title, become, runtimes };
}

export const commandFor = (...of: Parameters<typeof commandOptions>): string =>
  bootCommand(commandOptions(...of));

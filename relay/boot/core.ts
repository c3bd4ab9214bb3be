import { createHash } from "node:crypto";
import type { BootOrder } from "../orders.js";
import { bootCommand } from "./command.js";

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

/** The boot command for one node; `node` is the path of the host's Node or empty. */
export function commandFor(core: Core, order: BootOrder, node: string): string {
  return bootCommand({
    node,
    nonce: order.nonce,
    size: core.bytes.length,
    hash: core.hash,
    title: order.title,
  });
}

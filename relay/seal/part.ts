import type { KeyObject } from "node:crypto";
import type { Opened } from "../orders.js";
import { converse, NODE } from "./conversation.js";

/** Where in sealed bytes the controller's public key begins (the hash of this part is before it), and the box behind it. */
const KEY_AT = 32;
const BOX_AT = 64;

/**
 * The node's end of sealing: a part of its own, since few runs need it. A node loads it by the hash that stands before
 * what is sealed (relay/node/seal.ts). Throws an Error for what can't be opened.
 */
export function openSealed(sealed: Uint8Array, own: KeyObject): Opened {
  // What an X25519 key of PKCS 8 ends with
  const secret = own.export({ type: "pkcs8", format: "der" }).subarray(-32);
  const { open, seal } = converse(sealed.subarray(KEY_AT, BOX_AT), secret, NODE);
  return { plain: open(sealed.subarray(BOX_AT)), seal };
}

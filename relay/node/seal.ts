import { generateKeyPairSync } from "node:crypto";
import type { Blobs } from "../blobs/types.js";
import type { Opened } from "../orders.js";
import { loadPart } from "./part.js";

/** Opens what was sealed to this node. */
export type Unseal = (sealed: Uint8Array) => Promise<Opened>;

/** A key pair of this process's own, made anew at each start, and what opens with it. */
export function createSeals() {
  const { publicKey, privateKey } = generateKeyPairSync("x25519");
  return {
    key: publicKey.export({ type: "spki", format: "der" }).subarray(-32),
    unsealFrom:
      (blobs: Pick<Blobs, "get">): Unseal =>
      async (sealed) => {
        const hash = Buffer.from(sealed.subarray(0, 32)).toString("hex");
        const { openSealed } = await loadPart<typeof import("../seal/part.js")>(blobs, hash);
        return openSealed(sealed, privateKey);
      },
  };
}

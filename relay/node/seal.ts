import { generateKeyPairSync, type KeyPairKeyObjectResult } from "node:crypto";
import type { Opened } from "../orders.js";
import type { LoadPart } from "./part.js";

/** Opens what was sealed to this node. */
export type Unseal = (sealed: Uint8Array) => Promise<Opened>;

/** A key pair of this process's own, made anew at each start, and what opens with it. */
export function createSeals() {
  let pair: KeyPairKeyObjectResult | undefined;
  try {
    pair = generateKeyPairSync("x25519");
  } catch {
    // A Node of FIPS has no such keys: nothing can be sealed to it, all else works
  }
  return {
    key: pair?.publicKey.export({ type: "spki", format: "der" }).subarray(-32) ?? new Uint8Array(),
    unsealWith:
      (load: LoadPart): Unseal =>
      async (sealed) => {
        const hash = Buffer.from(sealed.subarray(0, 32)).toString("hex");
        const { openSealed } = await load<typeof import("../seal/part.js")>(hash);
        return openSealed(sealed, pair!.privateKey);
      },
  };
}

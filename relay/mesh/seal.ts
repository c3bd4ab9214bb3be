import nacl from "tweetnacl";
import { MopError } from "../../transport/errors.js";
import { CONTROLLER, type Conversation, converse } from "../seal/conversation.js";
import type { MeshBlobs } from "./blobs.js";
import { partBundle } from "./bundles.js";
import type { Place } from "./place.js";
import type { BlobSource } from "./types.js";

/** Sealed for one node: nobody between can open it, nor what it answers. */
export interface Sealed {
  /** As relay/seal/part.ts opens it */
  readonly bytes: Uint8Array;
  /** Opens the node's answers, each once and in order; throws an Error for anything else. */
  readonly open: Conversation["open"];
}

export type SealFor = (place: Place, plain: Uint8Array) => Promise<Sealed>;

/**
 * Seals for nodes by the keys that they say hello with; so it takes until a node is up, one round trip more than what is
 * sent on trust. What opens it goes ahead.
 */
export function createSealing({ offer, push }: MeshBlobs, part = () => partBundle("seal")): SealFor {
  let made: BlobSource | undefined;
  const sentTo = new WeakSet<Place>();
  return async (place, plain) => {
    made ??= part();
    const { hash } = made;
    if (!sentTo.has(place)) {
      sentTo.add(place);
      offer([made], [place]);
      push([hash], [place]);
    }
    const { key } = await place.up.promise;
    if (key.length !== nacl.box.publicKeyLength)
      throw new MopError(
        "BAD_ARGUMENT",
        `${place.name}: its Node makes no X25519 keys (FIPS), so nothing secret can go past relays to it; mop_hop = "sealed" for the bastion before it keeps the session with this machine`,
      );
    const { publicKey, secretKey } = nacl.box.keyPair();
    const { seal, open } = converse(key, secretKey, CONTROLLER);
    secretKey.fill(0);
    return { bytes: Buffer.concat([Buffer.from(hash, "hex"), publicKey, seal(plain)]), open };
  };
}

/** Does anybody between us and the node see what it is sent? Not where the session with its host stays with us. */
export const isCarried = ({ linkTo }: Place): boolean => linkTo !== 0;

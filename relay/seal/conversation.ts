import nacl from "tweetnacl";

/**
 * What a controller and a node say to each other under the one key that only these two can make (nacl.box of the
 * controller's key pair, made for this conversation, and the node's, made at its start). Each message has its sender and
 * its number in the nonce: one that is left out, doubled or turned round opens for nobody.
 */
export interface Conversation {
  seal(plain: Uint8Array): Uint8Array;
  /** Throws an Error for all that is not the other side's next message. */
  open(box: Uint8Array): Uint8Array;
}

export const CONTROLLER = 0;
export const NODE = 1;
type Side = typeof CONTROLLER | typeof NODE;

export function converse(theirKey: Uint8Array, ownSecret: Uint8Array, side: Side): Conversation {
  const key = nacl.box.before(theirKey, ownSecret);
  const other = side === CONTROLLER ? NODE : CONTROLLER;
  const numbers: [number, number] = [0, 0];
  return {
    seal: (plain) => nacl.box.after(plain, nonce(side, numbers[side]++), key),
    open(box) {
      const plain = nacl.box.open.after(box, nonce(other, numbers[other]), key);
      if (!plain)
        throw new Error(
          "what was sealed can't be opened: it was changed on the way, or sealed to another key",
        );
      numbers[other]++;
      return plain;
    },
  };
}

/** Whose message it is, zeros, its number. */
function nonce(of: Side, number: number): Uint8Array {
  const bytes = new Uint8Array(nacl.box.nonceLength);
  bytes[0] = of;
  new DataView(bytes.buffer).setUint32(bytes.length - 4, number);
  return bytes;
}

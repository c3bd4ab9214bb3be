/** The server's side of a key exchange (curve25519-sha256, ssh-ed25519) for `createPeer`, by RFC 8731 and RFC 4253, 7.2. */
import {
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { KEXINIT, lengthPrefixed, message, readFields } from "../../relay/session/messages.js";
import type { SessionState } from "../../transport/session-state.js";
import { freshState, type Peer, type Suite } from "./session-peer.js";

const raw = (key: KeyObject) => key.export({ type: "spki", format: "der" }).subarray(-32);
const x25519 = (bytes: Buffer) =>
  createPublicKey({ key: { kty: "OKP", crv: "X25519", x: bytes.toString("base64url") }, format: "jwk" });
const sha256 = (...parts: readonly Uint8Array[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

export interface HostKey {
  readonly privateKey: KeyObject;
  readonly blob: Buffer;
}

export function makeHostKey(): HostKey {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { privateKey, blob: message(0, "ssh-ed25519", raw(publicKey)).subarray(1) };
}

/** A state whose host key the test holds. */
export function stateWith(hostKey: HostKey, suite?: Suite, strict = true): SessionState {
  const state = freshState(suite);
  return { ...state, rekey: { ...state.rekey, hostKey: hostKey.blob, strict } };
}

export function serverInit(state: SessionState, lists: Partial<Record<number, string>> = {}): Buffer {
  const mac = state.outbound.mac ?? "";
  const { cipher } = state.outbound;
  const names = ["curve25519-sha256", "ssh-ed25519", cipher, cipher, mac, mac, "none", "none", "", ""];
  return Buffer.concat([
    Buffer.of(KEXINIT),
    randomBytes(16),
    ...names.map((name, i) => lengthPrefixed(lists[i] ?? `other,${name}`)),
    Buffer.alloc(5),
  ]);
}

export interface ServerExchange {
  /** Our ECDH_REPLY to the client's ECDH_INIT */
  reply(clientPublic: Buffer): Buffer;
  /** Takes the new keys into use on the server's end, after both NEWKEYS. */
  apply(peer: Peer): void;
}

/** Goes on behind both KEXINITs. `damage`: what the server does wrong. */
export function serverExchange(
  state: SessionState,
  hostKey: HostKey,
  clientInit: Buffer,
  ownInit: Buffer,
  damage: { readonly signature?: boolean; readonly point?: Buffer } = {},
): ServerExchange {
  const pair = generateKeyPairSync("x25519");
  const ours = damage.point ?? raw(pair.publicKey);
  let k: Buffer;
  let h: Buffer;
  return {
    reply(clientPublic) {
      const secret = diffieHellman({ privateKey: pair.privateKey, publicKey: x25519(clientPublic) });
      const hex = secret.toString("hex").replace(/^(00)+/, "");
      k = lengthPrefixed(Buffer.from((Number.parseInt(hex.slice(0, 2), 16) & 128 ? "00" : "") + hex, "hex"));
      const { clientIdent, serverIdent } = state.rekey;
      const parts = [clientIdent, serverIdent, clientInit, ownInit, hostKey.blob, clientPublic, ours];
      h = sha256(...parts.map(lengthPrefixed), k);
      const signature = sign(null, h, hostKey.privateKey);
      if (damage.signature) signature[10]! ^= 1;
      return message(31, hostKey.blob, ours, message(0, "ssh-ed25519", signature).subarray(1));
    },
    apply(peer) {
      const derive = (letter: string, length: number) => {
        let key = sha256(k, h, Buffer.from(letter), state.rekey.sessionId);
        while (key.length < length) key = Buffer.concat([key, sha256(k, h, key)]);
        return key.subarray(0, length);
      };
      const direction = (from: SessionState["inbound"], letters: string, sequence: number) => ({
        ...from,
        iv: derive(letters[0]!, from.iv.length),
        key: derive(letters[1]!, from.key.length),
        macKey: from.macKey && derive(letters[2]!, from.macKey.length),
        sequence: state.rekey.strict ? 0 : sequence,
        bytes: 0,
      });
      peer.writer.use(direction(state.inbound, "BDF", peer.writer.sequence));
      peer.reader.use(direction(state.outbound, "ACE", peer.reader.sequence));
    },
  };
}

/** What the client asked for: its KEXINIT whole, and the public value of its ECDH_INIT. */
export async function clientHalf(peer: Peer): Promise<{ init: Buffer; publicValue: Buffer }> {
  const { payload: init } = await peer.take(KEXINIT);
  const { payload } = await peer.take(30);
  return { init, publicValue: readFields(payload).bytes() };
}

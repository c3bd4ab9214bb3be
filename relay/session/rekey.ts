import {
  createECDH,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type JsonWebKeyInput,
  randomBytes,
  verify,
} from "node:crypto";
import type { DirectionState, SessionState } from "../../transport/session-state.js";
import { keyShape } from "./algorithms.js";
import {
  broken,
  ECDH_INIT,
  ECDH_REPLY,
  KEXINIT,
  lengthPrefixed,
  message,
  outOfPlace,
  readFields,
} from "./messages.js";

/**
 * A key exchange that renews a session's keys (RFC 4253, 7 and 9; RFC 5656; RFC 8731), the client's side. It needs the
 * session id and accepts the host key that the controller verified, alone. Messages in, messages and keys out.
 */
export interface KeyExchange {
  /** Our KEXINIT: the algorithms of the session as it is, and no others. */
  readonly offer: Buffer;
  /** Takes the server's KEXINIT; returns our ECDH_INIT. */
  begin(serverInit: Buffer): Buffer;
  /** Takes the server's ECDH_REPLY; returns the new keys, sequence numbers and counters at 0. */
  finish(reply: Buffer): { readonly outbound: DirectionState; readonly inbound: DirectionState };
}

const OPENSSL_CURVES: Readonly<Record<string, string>> = {
  p256: "prime256v1",
  p384: "secp384r1",
  p521: "secp521r1",
};

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
const publicKey = (key: object) => createPublicKey({ key, format: "jwk" } as JsonWebKeyInput);

/** Our half of the agreement: a fresh key pair and what it yields with the server's public value. */
function agreement(kex: string): { readonly ours: Buffer; secret(theirs: Buffer): Buffer } {
  const curve = OPENSSL_CURVES[kex.slice(-4)];
  if (curve) {
    const pair = createECDH(curve);
    return { ours: pair.generateKeys(), secret: (theirs) => pair.computeSecret(theirs) };
  }
  const pair = generateKeyPairSync("x25519");
  return {
    ours: pair.publicKey.export({ type: "spki", format: "der" }).subarray(-32),
    secret: (theirs) =>
      diffieHellman({
        privateKey: pair.privateKey,
        publicKey: publicKey({ kty: "OKP", crv: "X25519", x: base64url(theirs) }),
      }),
  };
}

/** A non-negative `mpint` of RFC 4251, 5: no leading zeros, one where the top bit is set. */
function mpint(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length && bytes[start] === 0) start++;
  const rest = bytes.subarray(start);
  return lengthPrefixed(rest[0]! & 128 ? Buffer.concat([Buffer.alloc(1), rest]) : rest);
}

/** Whether `signature` over `data` was made by the host key `blob`, by exactly the negotiated algorithm. */
function signedBy(blob: Buffer, algorithm: string, data: Buffer, signature: Buffer): boolean {
  const key = readFields(blob, 0);
  const type = key.text();
  const signed = readFields(signature, 0);
  if (signed.text() !== algorithm || type !== algorithm.replace(/^rsa.*/, "ssh-rsa")) return false;
  let raw = signed.bytes();
  let hash: string | null = `sha${algorithm.slice(9)}`;
  const next = () => base64url(key.bytes());
  let jwk: object;
  if (type === "ssh-ed25519") {
    hash = null;
    jwk = { kty: "OKP", crv: "Ed25519", x: next() };
  } else if (type === "ssh-rsa") jwk = { kty: "RSA", e: next(), n: next() };
  else {
    const bits = key.text().slice(5);
    const point = key.bytes().subarray(1);
    const half = point.length / 2;
    const [x, y] = [point.subarray(0, half), point.subarray(half)].map(base64url);
    jwk = { kty: "EC", crv: `P-${bits}`, x, y };
    hash = bits === "521" ? "sha512" : `sha${bits}`;
    // r and s as mpints; what Node verifies is both at the curve's width, one behind the other
    const parts = readFields(raw, 0);
    const atWidth = () => Buffer.concat([Buffer.alloc(half), parts.bytes()]).subarray(-half);
    raw = Buffer.concat([atWidth(), atWidth()]);
  }
  return verify(hash, data, { key: publicKey(jwk), dsaEncoding: "ieee-p1363" }, raw);
}

export function createKeyExchange(state: SessionState): KeyExchange {
  const { rekey, outbound, inbound } = state;
  const { kex, hostKeyAlgorithm } = rekey;
  // With GCM the MAC goes unused, but an empty list is not allowed
  const macs = [outbound, inbound].map(({ mac }) => mac ?? "hmac-sha2-256-etm@openssh.com");
  const names = [kex, hostKeyAlgorithm, outbound.cipher, inbound.cipher, ...macs, "none", "none"];
  const offer = Buffer.concat([
    Uint8Array.of(KEXINIT),
    randomBytes(16),
    ...[...names, "", ""].map(lengthPrefixed),
    Buffer.alloc(5),
  ]);
  const bits = kex.slice(-3);
  const hashName = bits === "384" ? "sha384" : bits === "521" ? "sha512" : "sha256";
  const hash = (...parts: readonly (Uint8Array | string)[]): Buffer => {
    const digest = createHash(hashName);
    for (const part of parts) digest.update(part);
    return digest.digest();
  };
  let serverInit: Buffer | undefined;
  let pair: ReturnType<typeof agreement> | undefined;

  return {
    offer,
    begin(init) {
      if (serverInit) throw outOfPlace(KEXINIT);
      serverInit = Buffer.from(init);
      const offered = readFields(init, 17);
      names.forEach((name, i) => {
        const list = offered.text().split(",");
        const unused = (i === 4 && !outbound.mac) || (i === 5 && !inbound.mac);
        if (!unused && !list.includes(name)) throw broken(`the server no longer offers ${name}`);
      });
      pair = agreement(kex);
      return message(ECDH_INIT, pair.ours);
    },
    finish(reply) {
      if (!serverInit || !pair) throw outOfPlace(ECDH_REPLY);
      const fields = readFields(reply);
      const hostKey = fields.bytes();
      const theirs = fields.bytes();
      const signature = fields.bytes();
      if (!hostKey.equals(rekey.hostKey))
        throw broken("the server's host key changed in the middle of the session");
      const shared = pair.secret(theirs);
      const k = mpint(shared);
      const idents = [rekey.clientIdent, rekey.serverIdent, offer, serverInit, hostKey, pair.ours, theirs];
      const h = hash(...idents.map(lengthPrefixed), k);
      if (!signedBy(hostKey, hostKeyAlgorithm, h, signature))
        throw broken("the server's signature over the key exchange is wrong");
      // RFC 4253, 7.2
      const derive = (letter: string, length: number): Buffer => {
        let key = hash(k, h, letter, rekey.sessionId);
        while (key.length < length) key = Buffer.concat([key, hash(k, h, key)]);
        return key.subarray(0, length);
      };
      const renewed = (
        { cipher, mac }: DirectionState,
        iv: string,
        key: string,
        macKey: string,
      ): DirectionState => {
        const shape = keyShape(cipher, mac);
        return {
          cipher,
          mac,
          iv: derive(iv, shape.iv),
          key: derive(key, shape.key),
          macKey: mac && derive(macKey, shape.macKey),
          sequence: 0,
          bytes: 0,
        };
      };
      const keys = { outbound: renewed(outbound, "A", "C", "E"), inbound: renewed(inbound, "B", "D", "F") };
      shared.fill(0);
      k.fill(0);
      pair = undefined;
      return keys;
    },
  };
}

import { generateKeyPairSync, randomBytes } from "node:crypto";

/** An Ed25519 key pair as OpenSSH writes it to files. */
export interface LabKey {
  /** PEM, without a passphrase */
  readonly private: string;
  /** "ssh-ed25519 AAAA..." */
  readonly public: string;
}

const TYPE = "ssh-ed25519";

const field = (content: Uint8Array | string): Buffer => {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

/**
 * A new key pair in OpenSSH's own format (PROTOCOL.key of OpenSSH). ssh2's generator is not used: about one of its
 * Ed25519 keys in 256 comes out malformed.
 */
export function generateLabKey(): LabKey {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  // The ends of both (RFC 8410), not a JWK: Node 20 stands still for ever where its garbage collector runs amid such an export
  const seed = privateKey.export({ type: "pkcs8", format: "der" }).subarray(-32);
  const point = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  const publicBlob = Buffer.concat([field(TYPE), field(point)]);
  const check = randomBytes(4);
  const secret = Buffer.concat([
    check,
    check,
    field(TYPE),
    field(point),
    field(Buffer.concat([seed, point])),
    field(""),
  ]);
  // Padding to the block size of "none", 8 bytes: 1, 2, 3, ...
  const padding = Uint8Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, i) => i + 1);
  const count = Buffer.from([0, 0, 0, 1]);
  const body = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    field("none"),
    field("none"),
    field(""),
    count,
    field(publicBlob),
    field(Buffer.concat([secret, padding])),
  ]);
  const lines = body.toString("base64").match(/.{1,70}/g) ?? [];
  return {
    private: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join("\n")}\n-----END OPENSSH PRIVATE KEY-----\n`,
    public: `${TYPE} ${publicBlob.toString("base64")}`,
  };
}

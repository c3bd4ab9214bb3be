import { readFile } from "node:fs/promises";
import { MopError } from "../errors.js";
import { type KnownHost, keyType } from "./known-hosts.js";

/** How a key revocation list begins (PROTOCOL.krl). */
const KRL = "SSHKRL\n\0";

/**
 * The keys of a RevokedHostKeys file, as entries that cover every host. As with OpenSSH no host is trusted while it can't
 * be read: rejects with HOST_KEY_REVOKED.
 */
export async function readRevoked(name: string, file: string): Promise<KnownHost[]> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw unreadable(name, file, (error as Error).message, error);
  }
  if (bytes.toString("latin1", 0, KRL.length) === KRL)
    throw unreadable(
      name,
      file,
      "it is a key revocation list, which mop can't read; list the public keys in it as text",
    );
  return bytes
    .toString("utf8")
    .split("\n")
    .flatMap((line, index): KnownHost[] => {
      const [type = "", base64 = ""] = line.trim().split(/[ \t]+/);
      const key = Buffer.from(base64, "base64");
      if (type === "" || type.startsWith("#")) return [];
      if (keyType(key) !== type) throw unreadable(name, file, `line ${index + 1} holds no public key`);
      return [{ file, line: index + 1, marker: "revoked", hosts: "*", type, key }];
    });
}

const unreadable = (name: string, file: string, why: string, cause?: unknown) =>
  new MopError(
    "HOST_KEY_REVOKED",
    `${name}: the revoked keys in ${file} (RevokedHostKeys) can't be read, so that no host key is trusted: ${why}`,
    { cause },
  );

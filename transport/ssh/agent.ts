/** An ssh agent, asked for its keys and for signatures (draft-ietf-sshm-ssh-agent). */
import net from "node:net";
import { MopError } from "../errors.js";
import type { Credential } from "./keys.js";
import { plain } from "./plain.js";
import { type PublicBlob, publicBlob, readStrings, signatureAlgorithm, wireStrings } from "./public-blob.js";

const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
/** For RSA keys: SHA-2, not SHA-1 */
const RSA_SHA2_256 = 2;
/** OpenSSH's own limit of an agent's answer */
const MOST_BYTES = 256 * 1024;

/** One question, one answer, on a connection of its own. */
function ask(path: string, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(path);
    let answer = Buffer.alloc(0);
    const end = (error: Error | undefined, value?: Buffer) => {
      socket.on("error", () => {}).destroy();
      if (value) resolve(value);
      else reject(error);
    };
    socket.once("error", (error) => end(error));
    socket.once("close", () => end(new Error("it closed the connection")));
    socket.on("data", (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length < 4) return;
      const length = answer.readUInt32BE(0);
      if (length === 0 || length > MOST_BYTES) end(new Error("its answer is no agent's"));
      else if (answer.length >= 4 + length) end(undefined, answer.subarray(4, 4 + length));
    });
    socket.write(wireStrings(request));
  });
}

/**
 * The keys that the agent at this socket holds, in its order, security keys and certificates among them; of other kinds
 * nothing is said. Rejects with KEY_UNREADABLE when no agent answers there.
 */
export async function agentCredentials(socket: string): Promise<Credential[]> {
  try {
    const answer = await ask(socket, Buffer.of(REQUEST_IDENTITIES));
    if (answer[0] !== IDENTITIES_ANSWER) throw new Error("it tells no keys");
    const next = readStrings(answer.subarray(5));
    const keys = Array.from({ length: answer.readUInt32BE(1) }, () => ({ blob: next(), comment: next() }));
    return keys.flatMap(({ blob, comment }) => {
      const known = publicBlob(blob);
      return known ? [fromAgent(socket, known, plain(comment.toString("utf8")))] : [];
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new MopError("KEY_UNREADABLE", `the ssh agent at ${socket} doesn't answer: ${why}`, {
      cause: error,
    });
  }
}

function fromAgent(socket: string, key: PublicBlob, comment: string): Credential {
  const label = `${comment || key.type} (agent)`;
  const flags = Buffer.alloc(4);
  if (signatureAlgorithm(key.type) !== key.type) flags.writeUInt32BE(RSA_SHA2_256);
  return {
    label,
    public: key,
    ready: true,
    async sign(data) {
      const request = Buffer.concat([Buffer.of(SIGN_REQUEST), wireStrings(key.blob, data), flags]);
      const refused = (cause: unknown) =>
        new MopError("KEY_UNREADABLE", `the ssh agent didn't sign with ${label}`, { cause });
      const answer = await ask(socket, request).catch((error: unknown) => {
        throw refused(error);
      });
      if (answer[0] !== SIGN_RESPONSE) throw refused(undefined);
      return readStrings(answer.subarray(1))();
    },
  };
}

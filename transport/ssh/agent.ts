import type { BaseAgent } from "ssh2";
import { MopError } from "../errors.js";
import type { ParsedKey } from "./internals.js";
import { type Credential, parsePublicKey, publicFingerprint, signatureHash } from "./keys.js";
import { createAgent } from "./library.js";

/** ssh2's agent answers this late when an agent hangs; logins have deadlines of their own. */
const identities = (agent: BaseAgent): Promise<(Buffer | ParsedKey)[]> =>
  new Promise((resolve, reject) => {
    agent.getIdentities((error, keys) =>
      error ? reject(error) : resolve((keys ?? []) as (Buffer | ParsedKey)[]),
    );
  });

/**
 * The keys that the agent at this socket holds, in its order; kinds that ssh2 can't use (hardware keys, certificates)
 * are left out. Rejects with KEY_UNREADABLE when no agent answers there.
 */
export async function agentCredentials(socket: string): Promise<Credential[]> {
  const agent = createAgent(socket);
  let keys: (Buffer | ParsedKey)[];
  try {
    keys = await identities(agent);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new MopError("KEY_UNREADABLE", `the ssh agent at ${socket} doesn't answer: ${why}`, {
      cause: error,
    });
  }
  return keys.flatMap((item) => {
    const key = Buffer.isBuffer(item) ? parsePublicKey(item) : item;
    return key ? [fromAgent(agent, key)] : [];
  });
}

function fromAgent(agent: BaseAgent, key: ParsedKey): Credential {
  const label = `${key.comment || key.type} (agent)`;
  return {
    label,
    key,
    fingerprint: publicFingerprint(key),
    ready: true,
    sign: (data) =>
      new Promise((resolve, reject) => {
        const hash = signatureHash(key);
        const done = (error: Error | null | undefined, signature?: Buffer | string) => {
          if (error || !signature)
            reject(
              new MopError("KEY_UNREADABLE", `the ssh agent didn't sign with ${label}`, { cause: error }),
            );
          else resolve(Buffer.isBuffer(signature) ? signature : Buffer.from(signature));
        };
        if (hash) agent.sign(key, data, { hash: hash as "sha256" }, done);
        else agent.sign(key, data, done);
      }),
  };
}

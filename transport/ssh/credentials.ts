import { asMopError, MopError } from "../errors.js";
import { agentCredentials } from "./agent.js";
import type { ParsedKey } from "./internals.js";
import { type Credential, type KeyRing, signatureAlgorithm } from "./keys.js";
import { keyBits } from "./public-key.js";
import type { Prompter, Target } from "./types.js";

/** Keys to offer, in order, and what stood in the way of others. */
export interface Credentials {
  readonly keys: readonly Credential[];
  readonly problems: readonly MopError[];
}

/**
 * The target's keys in OpenSSH's order: those of the agent that the target names by file, the agent's others (not with
 * IdentitiesOnly), then files. A key stands in it once.
 */
export async function gatherCredentials(
  target: Target,
  ring: KeyRing,
  prompter: Prompter | undefined,
): Promise<Credentials> {
  // No agent is asked and no passphrase wanted for keys that may not be used
  if (target.methods?.includes("publickey") === false) return { keys: [], problems: [] };
  const problems: MopError[] = [];
  const note = (error: unknown): undefined => {
    problems.push(asMopError(error, "KEY_UNREADABLE"));
  };
  const [inAgent, loaded] = await Promise.all([
    target.agent === undefined ? [] : agentCredentials(target.agent).catch(note),
    Promise.all(target.identityFiles.map((file) => ring.load(file, prompter).catch(note))),
  ]);
  const files = loaded.filter((credential) => credential !== undefined);
  const named = new Set(files.map((credential) => credential.fingerprint));
  const agentNamed = (inAgent ?? []).filter((credential) => named.has(credential.fingerprint));
  const agentOthers = target.identitiesOnly
    ? []
    : (inAgent ?? []).filter((credential) => !named.has(credential.fingerprint));
  const complete = files.filter((credential) => {
    const alone =
      credential.publicOnly && !agentNamed.some(({ fingerprint }) => fingerprint === credential.fingerprint);
    if (alone) note(publicAlone(credential.label));
    return !credential.publicOnly;
  });
  const seen = new Set<string>();
  const keys = [...agentNamed, ...agentOthers, ...complete].filter(
    ({ fingerprint }) => !seen.has(fingerprint) && seen.add(fingerprint),
  );
  return { keys: keys.filter(({ key }) => mayBeUsed(key, target)), problems };
}

/** PubkeyAcceptedAlgorithms and RequiredRSASize */
function mayBeUsed(key: ParsedKey, { algorithms, leastRsaBits = 0 }: Target): boolean {
  if (algorithms?.userKey?.includes(signatureAlgorithm(key)) === false) return false;
  return key.type !== "ssh-rsa" || keyBits(key.getPublicSSH()) >= leastRsaBits;
}

const publicAlone = (file: string) =>
  new MopError(
    "KEY_UNREADABLE",
    `${file} holds a public key only, and no agent has its private half; name the private key's file`,
  );

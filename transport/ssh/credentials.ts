import { asMopError, MopError } from "../errors.js";
import { agentCredentials } from "./agent.js";
import type { Credential, KeyRing, publicFile } from "./keys.js";
import { signatureAlgorithm } from "./public-blob.js";
import { fingerprint, keyBits } from "./public-key.js";
import type { Prompter, Target } from "./types.js";

/** Keys to offer, in order, and what stood in the way of others. */
export interface Credentials {
  readonly keys: readonly Credential[];
  readonly problems: readonly MopError[];
}

/** What a credential is told from others by: a key and its certificates are several. */
export const idOf = (credential: Credential): string => fingerprint(credential.public.blob);

/**
 * The target's keys in OpenSSH's order: certificates that it names, then the keys of the agent that it names by file, the
 * agent's others (not with IdentitiesOnly), then files, each with the certificate beside it. A key stands in it once.
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
  const { agent, identityFiles, certificateFiles = [] } = target;
  const [inAgent = [], loaded, beside] = await Promise.all([
    agent === undefined ? [] : agentCredentials(agent).catch(note),
    Promise.all(identityFiles.map((file) => ring.load(file, prompter).catch(note))),
    Promise.all(identityFiles.map((file) => ring.publicFile(`${file.replace(/\.pub$/, "")}-cert.pub`))),
  ]);
  const files = loaded.filter((credential) => credential !== undefined);
  const keyOf = ({ public: { fingerprint } }: Credential) => fingerprint;
  const named = new Set(files.map(keyOf));
  const agentNamed = inAgent.filter((credential) => named.has(keyOf(credential)));
  const agentOthers = target.identitiesOnly
    ? []
    : inAgent.filter((credential) => !named.has(keyOf(credential)));
  /** What has the private half of a key */
  const signer = (key: string) =>
    [...inAgent, ...files].find((one) => keyOf(one) === key && !one.publicOnly && !one.public.isCertificate);

  const certified = (file: string, known: Awaited<ReturnType<typeof publicFile>>): Credential[] => {
    const by = known?.isCertificate ? signer(known.fingerprint) : undefined;
    return known && by ? [certificateOf(file, by, known)] : [];
  };
  const certificates: Credential[] = [];
  for (const file of certificateFiles) {
    const known = await ring.publicFile(file);
    if (!known?.isCertificate)
      note(new MopError("KEY_UNREADABLE", `${file} holds no user certificate (CertificateFile)`));
    else if (!signer(known.fingerprint))
      note(
        new MopError("KEY_UNREADABLE", `neither a file nor the agent has the key of the certificate ${file}`),
      );
    certificates.push(...certified(file, known));
  }
  const complete = loaded.flatMap((credential, index): Credential[] => {
    if (!credential) return [];
    const { label, publicOnly } = credential;
    const others = certified(`${label.replace(/\.pub$/, "")}-cert.pub`, beside[index]);
    if (publicOnly === undefined) return [credential, ...others];
    if (!signer(keyOf(credential)) && !agentNamed.some((one) => keyOf(one) === keyOf(credential)))
      note(new MopError("KEY_UNREADABLE", `${label} ${publicOnly}`));
    return others;
  });
  const seen = new Set<string>();
  const keys = [...certificates, ...agentNamed, ...agentOthers, ...complete].filter(
    (credential) => !seen.has(idOf(credential)) && seen.add(idOf(credential)),
  );
  return { keys: keys.filter((credential) => mayBeUsed(credential, target)), problems };
}

const certificateOf = (file: string, by: Credential, known: Credential["public"]): Credential => ({
  label: file,
  public: known,
  get ready() {
    return by.ready;
  },
  sign: (data) => by.sign(data),
});

/** PubkeyAcceptedAlgorithms and RequiredRSASize */
function mayBeUsed(
  { public: { type, plain } }: Credential,
  { algorithms, leastRsaBits = 0 }: Target,
): boolean {
  if (algorithms?.userKey?.includes(signatureAlgorithm(type)) === false) return false;
  return keyBits(plain) === 0 || !type.startsWith("ssh-rsa") || keyBits(plain) >= leastRsaBits;
}

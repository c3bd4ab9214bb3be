import type { AlgorithmLists } from "../../../transport/ssh/algorithms.js";
import type { HostKeyPolicy, LoginMethod } from "../../../transport/ssh/types.js";

/** What OpenSSH's configuration says of a host; undefined where it says nothing of its own. */
export interface SshSettings {
  readonly hostName?: string | undefined;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly identityFiles?: readonly string[] | undefined;
  /** User certificates that it names; those beside the keys are found without */
  readonly certificateFiles?: readonly string[] | undefined;
  readonly identitiesOnly?: boolean | undefined;
  /** "none", or hops with commas as ssh -J takes them */
  readonly proxyJump?: string | undefined;
  /** A program as the way to the host, its tokens expanded */
  readonly proxyCommand?: string | undefined;
  readonly hostKeyAlias?: string | undefined;
  readonly knownHostsFiles?: readonly string[] | undefined;
  readonly revokedKeysFile?: string | undefined;
  readonly hostKeys?: HostKeyPolicy | undefined;
  readonly hashKnownHosts?: boolean | undefined;
  /** NoHostAuthenticationForLocalhost */
  readonly trustsLoopback?: boolean | undefined;
  readonly connectTimeoutMs?: number | undefined;
  readonly keepaliveMs?: number | undefined;
  /** Path of the agent's socket; "none": no agent */
  readonly identityAgent?: string | undefined;
  readonly bindAddress?: string | undefined;
  readonly family?: 4 | 6 | undefined;
  /** What it allows, in OpenSSH's names */
  readonly algorithms?: AllowedAlgorithms | undefined;
  /** Login methods that may be used, the first one first */
  readonly methods?: readonly LoginMethod[] | undefined;
  readonly passwordTries?: number | undefined;
  /** BatchMode: nobody is to be asked */
  readonly batch?: boolean | undefined;
  readonly leastRsaBits?: number | undefined;
  /** What is set, matters to logins, and is not honoured: option and value as one text each */
  readonly unheeded?: { readonly hostKey: readonly string[]; readonly login: readonly string[] } | undefined;
  /** Options without which the connection would be another one than ssh's: why it is not made */
  readonly refusals?: { readonly proxied?: string | undefined; readonly direct?: string | undefined };
}

/** The lists of a host; `userKey` is PubkeyAcceptedAlgorithms. */
export type AllowedAlgorithms = {
  readonly [list in keyof AlgorithmLists | "userKey"]?: readonly string[] | undefined;
};

/** What the inventory or the command line says of a host already, as `ssh -l -p -o HostName` would. */
export interface SshGiven {
  readonly user?: string | undefined;
  readonly port?: number | undefined;
  readonly hostName?: string | undefined;
}

/** Looks a host up by the name that an operator would give to ssh. */
export type SshLookup = (name: string, given?: SshGiven) => Promise<SshSettings>;

export const noSshConfig: SshLookup = async () => ({});

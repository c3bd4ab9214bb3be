import type { HostKeyPolicy } from "../../../transport/ssh/types.js";

/** What OpenSSH's configuration says of a host; undefined where it says nothing of its own. */
export interface SshSettings {
  readonly hostName?: string | undefined;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly identityFiles?: readonly string[] | undefined;
  readonly identitiesOnly?: boolean | undefined;
  /** "none", or hops with commas as ssh -J takes them */
  readonly proxyJump?: string | undefined;
  /** A program as the way to the host, which mop does not run */
  readonly proxyCommand?: string | undefined;
  readonly hostKeyAlias?: string | undefined;
  readonly knownHostsFiles?: readonly string[] | undefined;
  readonly hostKeys?: HostKeyPolicy | undefined;
  readonly hashKnownHosts?: boolean | undefined;
  readonly connectTimeoutMs?: number | undefined;
  readonly keepaliveMs?: number | undefined;
  /** Path of the agent's socket; "none": no agent */
  readonly identityAgent?: string | undefined;
}

/** Looks a host up by the name that an operator would give to ssh. */
export type SshLookup = (name: string) => Promise<SshSettings>;

export const noSshConfig: SshLookup = async () => ({});

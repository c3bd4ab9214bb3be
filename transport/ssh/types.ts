import type { Duplex } from "node:stream";
import type { SessionState } from "../session-state.js";
import type { AlgorithmLists } from "./algorithms.js";

export type HostKeyPolicy = "strict" | "accept-new" | "off";
export const LOGIN_METHODS = ["publickey", "keyboard-interactive", "password"] as const;
export type LoginMethod = (typeof LOGIN_METHODS)[number];

/** Where and as whom to log in, all configuration applied (inventory, ssh_config, options). */
export interface Target {
  /** The inventory's name; what messages call it */
  readonly name: string;
  /** DNS name or address as the node before it resolves it */
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Name for known_hosts when it is not the address (HostKeyAlias) */
  readonly hostKeyAlias?: string;
  readonly identityFiles: readonly string[];
  /** User certificates; those that lie beside a key (`key-cert.pub`) need no naming */
  readonly certificateFiles?: readonly string[];
  readonly identitiesOnly: boolean;
  /** Path of the agent's socket; undefined: no agent */
  readonly agent?: string;
  /** The text, or what gets it once a server asks for one */
  readonly password?: string | (() => Promise<string>);
  /** What may be used, in this order; undefined: everything, a password that is known before questions */
  readonly methods?: readonly LoginMethod[];
  /** How often a password is asked for. Default 3 */
  readonly passwordTries?: number;
  /** Nobody is to be asked anything (BatchMode) */
  readonly batch?: boolean;
  readonly knownHostsFiles: readonly string[];
  readonly hostKeys: HostKeyPolicy;
  /** Public keys that no host may show (RevokedHostKeys) */
  readonly revokedKeysFile?: string;
  /** HashKnownHosts: names are hashed where keys are written down */
  readonly hashKnownHosts?: boolean;
  /** Names of algorithms that may be used, where not all of ours may; `userKey`: for signatures of the user's keys */
  readonly algorithms?: Partial<AlgorithmLists> & { readonly userKey?: readonly string[] };
  /** RSA keys with fewer bits than this are refused; default 1024, as OpenSSH */
  readonly leastRsaBits?: number;
  /** Options of OpenSSH's configuration that are not honoured, for messages of what fails perhaps for want of them */
  readonly unheeded?: { readonly hostKey: readonly string[]; readonly login: readonly string[] };
  /** A command on this machine whose stdin and stdout lead to the host's sshd (ProxyCommand) */
  readonly proxyCommand?: string;
  /** Own address of its TCP connection, and IPv4 or IPv6 only, where this machine makes it */
  readonly bindAddress?: string;
  readonly family?: 4 | 6;
  /** Whole login, in ms; 0 = none. Applies per step when round trips are long. */
  readonly connectTimeoutMs: number;
  /** Its TCP connection alone, in ms, where there is another way that should be taken soon; default: as above */
  readonly tcpTimeoutMs?: number;
  /** ServerAliveInterval in ms; 0 = off (links have heartbeats of their own) */
  readonly keepaliveMs: number;
}

/** Questions that only the operator can answer; the command line and tests provide it. Absent: nobody is there. */
export interface Prompter {
  /** `again`: the last answer was wrong */
  passphrase(keyFile: string, again?: boolean): Promise<string | undefined>;
  password(target: Target, prompt: string, again?: boolean): Promise<string | undefined>;
}

/** Which steps of a login go ahead without waiting for their answers. */
export type LoginPace =
  /** one answer at a time, as ssh2 does */
  | "plain"
  /** only what the RFCs allow */
  | "conformant"
  /** also what OpenSSH and Dropbear are known to accept */
  | "eager";

export interface LoginOptions {
  readonly pace: LoginPace;
  readonly prompter?: Prompter;
  readonly signal?: AbortSignal;
}

/** A pipe that counts its bytes, as a socket does */
export type CountedPipe = Duplex & { readonly bytesRead: number; readonly bytesWritten: number };

/** A logged-in (or logging-in) SSH session over a byte pipe, end to end with the host's sshd. */
export interface SshSession {
  readonly target: Target;
  /** The server's identification, "SSH-2.0-OpenSSH_9.2p1 Debian-2" */
  readonly serverIdent: string;
  /** What the login was made with, or is being made with while it is on its way: a method, and a key's fingerprint */
  readonly proof: { readonly method: string; readonly key?: string };
  /** Resolves when the server accepted the login; rejects with MopError. */
  readonly authenticated: Promise<void>;
  /**
   * A command's stdio as one byte pipe; stderr goes to `onStderr`, but with `tty` (a terminal) to the pipe as well. With
   * `eager` and `conformant` it may be called before `authenticated`.
   */
  exec(command: string, onStderr: (chunk: Buffer) => void, tty?: boolean): Promise<Duplex>;
  /** ssh's own TCP forwarding (direct-tcpip); FORWARDING_REFUSED where the server won't, CONNECT_UNREACHABLE where it can't */
  forward(host: string, port: number): Promise<CountedPipe>;
  /**
   * Takes the session out of this process at a packet border; from then on neither side of the pipe belongs to it.
   * Rejects with HANDOFF_IMPOSSIBLE where cipher, MAC or key exchange don't allow it (the session stays usable).
   */
  handOff(): Promise<SessionState>;
  close(): void;
  /** Resolves when the session is over, with the reason when it was not asked for. */
  readonly closed: Promise<Error | undefined>;
  /** That reason, from the moment on that it is known */
  readonly failure: Error | undefined;
}

/**
 * Logs in over `openPipe()`, once. Resolves when the login is through or, where it goes ahead of the answers, on its way:
 * then `authenticated` tells. A pipelined login sends one key only, a guess may be wrong: AUTH_REFUSED, SSH_PROTOCOL,
 * SSH_DISCONNECTED and SSH_CHANNEL_REFUSED are worth a second login at the plain pace, which is the caller's to do.
 */
export type Login = (
  openPipe: () => Promise<Duplex>,
  target: Target,
  options: LoginOptions,
) => Promise<SshSession>;

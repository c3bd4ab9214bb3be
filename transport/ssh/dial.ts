/** One try at a login: opens the pipe, exchanges keys, sends or carries out the login. */
import type { Duplex } from "node:stream";
import { asMopError, MopError } from "../errors.js";
import { Ssh2AuthPort } from "./auth-port.js";
import { Connection, type EarlyParts } from "./connection.js";
import { type Credentials, gatherCredentials } from "./credentials.js";
import { Deadline } from "./deadline.js";
import { HostKeyVerifier } from "./host-key.js";
import type { Credential, KeyRing } from "./keys.js";
import type { Prompter, Target } from "./types.js";
import { authenticate } from "./userauth.js";

export interface DialOptions {
  readonly early: EarlyParts;
  /** Sends the signed request for one key without asking first and without waiting for its answer */
  readonly pipelined: boolean;
  /** Fingerprint of the key that was accepted last time */
  readonly preferred: string | undefined;
  readonly ring: KeyRing;
  readonly prompter: Prompter | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A connection whose login is done or, when pipelined, on its way. */
export interface Dialled {
  readonly connection: Connection;
  readonly auth: Ssh2AuthPort;
  /** Resolves with the key that was accepted (undefined: another method); rejects with MopError. */
  readonly authenticated: Promise<Credential | undefined>;
  /** The one key that was sent ahead; undefined when everything was tried in order. */
  readonly sentAhead: Credential | undefined;
}

/** A failed try, with what its guesses were worth. */
export class DialError extends Error {
  readonly error: MopError;
  /** The server was there, but the early parts of the key exchange may have been too much for it */
  readonly guessed: boolean;

  constructor(error: MopError, guessed: boolean) {
    super(error.message, { cause: error });
    this.error = error;
    this.guessed = guessed;
  }
}

export async function dial(
  openPipe: () => Promise<Duplex>,
  target: Target,
  options: DialOptions,
): Promise<Dialled> {
  let connection: Connection | undefined;
  let stop: (error: MopError) => void = () => {};
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = reject;
  });
  stopped.catch(() => {});
  const end = (error: MopError) => {
    connection?.fail(error);
    stop(error);
  };
  const deadline = new Deadline(target.name, target.connectTimeoutMs, end);
  const cancel = () => end(new MopError("CANCELLED", `the login to ${target.name} was cancelled`));
  const { signal } = options;
  if (signal?.aborted) cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  const prompter = options.prompter && pausing(options.prompter, deadline);
  const finish = () => {
    deadline.end();
    signal?.removeEventListener("abort", cancel);
  };
  try {
    const opening = openPipe();
    const prepared = Promise.all([
      HostKeyVerifier.load(target),
      gatherCredentials(target, options.ring, prompter),
    ]);
    deadline.step("the connection");
    const [pipe, verifier, credentials] = await Promise.race([both(opening, prepared), stopped]);
    connection = new Connection(pipe, target, verifier, options.early);
    const auth = new Ssh2AuthPort(connection);
    deadline.step("the key exchange");
    await connection.handshake;
    deadline.step("the login");
    const ahead = options.pipelined ? firstKey(credentials, options.preferred) : undefined;
    if (ahead) {
      const sent = await auth.sendSigned(ahead);
      if (sent) {
        const authenticated = sent.reply.then((reply) => {
          if (reply.type === "success") return ahead;
          const why = `${target.name} refused the login of ${target.user} (tried ${ahead.label})`;
          throw new MopError("AUTH_REFUSED", why);
        });
        authenticated.then(finish, finish);
        return { connection, auth, authenticated, sentAhead: ahead };
      }
    }
    await auth.accepted;
    const used = await authenticate(auth, target, credentials, prompter);
    finish();
    return { connection, auth, authenticated: Promise.resolve(used), sentAhead: undefined };
  } catch (thrown) {
    finish();
    const error = asMopError(thrown, "SSH_PROTOCOL");
    connection?.fail(error);
    throw new DialError(error, connection !== undefined && mayBeGuess(connection, error, options.early));
  }
}

/** Both, or the first failure; a pipe that opens for nothing is closed. */
async function both<T extends readonly unknown[]>(
  opening: Promise<Duplex>,
  prepared: Promise<T>,
): Promise<[Duplex, ...T]> {
  try {
    const rest = await prepared;
    return [await opening, ...rest];
  } catch (error) {
    opening.then(
      (pipe) => pipe.on("error", () => {}).destroy(),
      () => {},
    );
    throw error;
  }
}

/** The key to send without asking: the one that worked before, else the first, when it signs without a passphrase. */
function firstKey({ keys }: Credentials, preferred: string | undefined): Credential | undefined {
  const key = keys.find(({ fingerprint }) => fingerprint === preferred) ?? keys[0];
  return key?.ready ? key : undefined;
}

function mayBeGuess(connection: Connection, error: MopError, early: EarlyParts): boolean {
  if (!early.kexinit || connection.negotiated) return false;
  return error.code === "SSH_PROTOCOL" || error.code === "SSH_DISCONNECTED";
}

function pausing(prompter: Prompter, deadline: Deadline): Prompter {
  return {
    passphrase: (file) => deadline.paused(() => prompter.passphrase(file)),
    password: (target, prompt) => deadline.paused(() => prompter.password(target, prompt)),
  };
}

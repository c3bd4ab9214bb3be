/** One try at a login: opens the pipe, exchanges keys, sends or carries out the login. */
import type { Duplex } from "node:stream";
import { asMopError, MopError } from "../errors.js";
import { Ssh2AuthPort } from "./auth-port.js";
import { Connection, type EarlyParts } from "./connection.js";
import { type Credentials, gatherCredentials, idOf } from "./credentials.js";
import { Deadline } from "./deadline.js";
import { HostKeyVerifier } from "./host-key.js";
import type { Credential, KeyRing } from "./keys.js";
import { plain } from "./plain.js";
import type { Prompter, Target } from "./types.js";
import { type AuthReply, authenticate, type Proof } from "./userauth.js";
import type { LoginWatch } from "./watch.js";

export interface DialOptions {
  readonly early: EarlyParts;
  /** Sends the signed request for one key without asking first and without waiting for its answer */
  readonly pipelined: boolean;
  /** Fingerprint of the key that was accepted last time */
  readonly preferred: string | undefined;
  readonly ring: KeyRing;
  readonly prompter: Prompter | undefined;
  readonly signal: AbortSignal | undefined;
  readonly watch?: LoginWatch | undefined;
}

/** A connection whose login is done or, when pipelined, on its way. */
export interface Dialled {
  readonly connection: Connection;
  readonly auth: Ssh2AuthPort;
  /** Resolves with the key that was accepted (undefined: another method); rejects with MopError. */
  readonly authenticated: Promise<Credential | undefined>;
  /** What it is made with */
  readonly proof: Proof;
}

/** Rejects with MopError: what the connection, the key exchange, the host key or the login failed of. */
export async function dial(
  openPipe: () => Promise<Duplex>,
  target: Target,
  options: DialOptions,
): Promise<Dialled> {
  let opening: Promise<Duplex> | undefined;
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
  const prompter = options.prompter && !target.batch ? pausing(options.prompter, deadline) : undefined;
  const finish = () => {
    deadline.end();
    signal?.removeEventListener("abort", cancel);
  };
  try {
    opening = openPipe();
    // It may fail while keys are still being read; `both` tells of it then.
    opening.catch(() => {});
    const prepared = Promise.all([
      HostKeyVerifier.load(target),
      gatherCredentials(target, options.ring, prompter),
    ]);
    deadline.step("the connection");
    const [pipe, verifier, credentials] = await Promise.race([both(opening, prepared), stopped]);
    const opened = new Connection(pipe, target, verifier, options.early);
    connection = opened;
    options.watch?.opened(target, opened);
    const auth = new Ssh2AuthPort(opened);
    deadline.step("the key exchange");
    await opened.handshake;
    deadline.step("the login");
    const ahead = options.pipelined ? firstKey(target, credentials, options.preferred) : undefined;
    if (ahead) {
      const sent = await auth.sendSigned(ahead).catch((error: unknown) => {
        // Nothing was sent: an agent that doesn't sign with this one may do with others
        if (!(error instanceof MopError) || error.code !== "KEY_UNREADABLE") throw error;
      });
      if (sent) {
        const authenticated = sent.reply.then((reply) => {
          if (reply.type === "success") return ahead;
          const refusal = refusedAhead(target, ahead, reply, credentials);
          // What was sent behind the request is lost with it
          opened.fail(refusal);
          throw refusal;
        });
        authenticated.then(finish, finish);
        return { connection: opened, auth, authenticated, proof: { method: "publickey", credential: ahead } };
      }
    }
    await auth.accepted;
    const proof = await authenticate(
      options.watch?.through(target, auth) ?? auth,
      patient(target, deadline),
      credentials,
      prompter,
    );
    finish();
    return { connection: opened, auth, authenticated: Promise.resolve(proof.credential), proof };
  } catch (thrown) {
    finish();
    const error = asMopError(thrown, "SSH_PROTOCOL");
    if (connection) connection.fail(error);
    // A pipe that opens for nothing, perhaps later than anybody waits
    else
      opening?.then(
        (pipe) => pipe.on("error", () => {}).destroy(),
        () => {},
      );
    throw error;
  }
}

/** Both, or the first failure. */
async function both<T extends readonly unknown[]>(
  opening: Promise<Duplex>,
  prepared: Promise<T>,
): Promise<[Duplex, ...T]> {
  const rest = await prepared;
  return [await opening, ...rest];
}

/** The key to send without asking: the one that worked before, else the first, when it signs without a passphrase. */
function firstKey(
  { methods }: Target,
  { keys }: Credentials,
  preferred: string | undefined,
): Credential | undefined {
  if (methods && methods[0] !== "publickey") return undefined;
  const key = keys.find((one) => idOf(one) === preferred) ?? keys[0];
  return key?.ready ? key : undefined;
}

/** The one key that was sent didn't do; a login that waits for each answer may try the others. */
function refusedAhead(
  target: Target,
  ahead: Credential,
  reply: AuthReply,
  { keys, problems }: Credentials,
): MopError {
  const others = keys.length - 1;
  const methods = reply.type === "failure" ? reply.methods.join(", ") : "";
  const parts = [
    `tried ${ahead.label}`,
    ...(others > 0 ? [`${others} other ${others === 1 ? "key was" : "keys were"} not tried yet`] : []),
    `the server takes ${plain(methods) || "no further method"}`,
    ...problems.map((problem) => problem.message),
  ];
  return new MopError(
    "AUTH_REFUSED",
    `${target.name} refused the login of ${target.user} (${parts.join("; ")})`,
  );
}

/** The target whose password may take its time: what gets it may ask the operator. */
function patient(target: Target, deadline: Deadline): Target {
  const { password } = target;
  return typeof password === "function" ? { ...target, password: () => deadline.paused(password) } : target;
}

function pausing(prompter: Prompter, deadline: Deadline): Prompter {
  return {
    passphrase: (file, again) => deadline.paused(() => prompter.passphrase(file, again)),
    password: (target, prompt, again) => deadline.paused(() => prompter.password(target, prompt, again)),
  };
}

/** A server's host keys without logging in, and what known_hosts says of them. */
import type { Duplex } from "node:stream";
import { MopError } from "../errors.js";
import { HOST_KEYS, keyTypeOf } from "./algorithms.js";
import { Connection } from "./connection.js";
import { Deadline } from "./deadline.js";
import { changedKey, HostKeyVerifier, readEntries, revokedKey } from "./host-key.js";
import { type KnownHost, keyType, verdict } from "./known-hosts.js";
import { keyFamily } from "./public-key.js";
import type { Target } from "./types.js";

export interface ShownKey {
  /** As the wire has it */
  readonly key: Buffer;
  /** Where it stands already; undefined: it is new */
  readonly known: KnownHost | undefined;
}

/** A key exchange each: a server shows one key of those that the client takes. */
const ROUNDS: readonly (readonly string[])[] = [
  ...new Map(HOST_KEYS.map((name) => [keyFamily(keyTypeOf(name)), name])).keys(),
].map((family) => HOST_KEYS.filter((name) => keyFamily(keyTypeOf(name)) === family));

/** Opens a pipe to the server. The limit on connecting begins when `dialling` is called, which may have to wait for its turn. */
export type OpenWhenDue = (dialling: () => void) => Promise<Duplex>;

/** Makes one of several tries at a server, again where that is worth it. */
export type Attempt = <T>(one: (openPipe: OpenWhenDue) => Promise<T>) => Promise<T>;

/**
 * The keys that a server shows, one of each kind, over as many pipes; the sessions end there, nobody logs in. Rejects
 * with MopError.
 */
export async function readHostKeys(attempt: Attempt, target: Target, signal: AbortSignal): Promise<Buffer[]> {
  const rounds = await Promise.allSettled(
    ROUNDS.map((algorithms) => attempt((openPipe) => readOne(openPipe, target, algorithms, signal))),
  );
  const keys = rounds.flatMap((round) => (round.status === "fulfilled" ? [round.value] : []));
  for (const round of rounds) {
    if (round.status === "fulfilled") continue;
    // It has no key of this kind
    if (keys.length > 0 && round.reason instanceof MopError && round.reason.code === "SSH_PROTOCOL") continue;
    throw round.reason;
  }
  return keys;
}

async function readOne(
  openPipe: OpenWhenDue,
  target: Target,
  algorithms: readonly string[],
  signal: AbortSignal,
): Promise<Buffer> {
  const verifier = HostKeyVerifier.reading(target, algorithms);
  let end: (error: MopError) => void = () => {};
  const ended = new Promise<never>((_resolve, reject) => {
    end = reject;
  });
  ended.catch(() => {});
  const cancel = () => end(new MopError("CANCELLED", `the question for ${target.name}'s keys was cancelled`));
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel, { once: true });
  const deadline = new Deadline(target.name, target.connectTimeoutMs, (error) => end(error));
  const opening = openPipe(() => deadline.step("the connection"));
  try {
    const pipe = await Promise.race([opening, ended]);
    deadline.step("the key exchange");
    const connection = new Connection(pipe, target, verifier, { kexinit: true, share: false });
    const failed = connection.handshake.then(
      () => new MopError("INTERNAL", `${target.name}: a key was taken that was only asked for`),
      (error: MopError) => error,
    );
    const error = await Promise.race([failed, ended]).finally(() => connection.close());
    if (verifier.shown) return verifier.shown;
    throw error;
  } finally {
    deadline.end();
    signal.removeEventListener("abort", cancel);
    opening.then(
      (pipe) => pipe.on("error", () => {}).destroy(),
      () => {},
    );
  }
}

/**
 * Which of these keys stand in the target's known_hosts. Throws HOST_KEY_REVOKED, and HOST_KEY_CHANGED where another
 * key of the same type is known, or where others are known and the host shows none of these.
 */
export async function compareHostKeys(target: Target, keys: readonly Buffer[]): Promise<ShownKey[]> {
  const entries = (await Promise.all(target.knownHostsFiles.map(readEntries))).flat();
  const answers = keys.map((key) => ({
    key,
    answer: verdict(entries, target.address, target.port, key, target.hostKeyAlias),
  }));
  const someKnown = answers.some(({ answer }) => answer.kind === "known");
  return answers.map(({ key, answer }) => {
    if (answer.kind === "revoked") throw revokedKey(target, key, answer.entry);
    if (answer.kind === "changed" && (!someKnown || answer.entry.type === keyType(key)))
      throw changedKey(target, key, answer.entry);
    return { key, known: answer.kind === "known" ? answer.entry : undefined };
  });
}

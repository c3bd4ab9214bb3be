/** Loads for handed-over sessions: data that no other position repeats, and its digest. */
import { createCipheriv, createHash } from "node:crypto";
import { type Duplex, Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { type AdoptedSession, type AdoptOptions, adoptSession } from "../../relay/session/adopt.js";
import type { SessionState } from "../../transport/session-state.js";
import { createLogin } from "../../transport/ssh/login.js";
import { dialSocket } from "../../transport/ssh/tcp.js";
import type { LoginPace, Target } from "../../transport/ssh/types.js";
import type { RealServer } from "./real-sshd.js";
import { targetOf } from "./ssh-target.js";

const PIECE = 1 << 16;

/** `bytes` of a key stream, in pieces of 64 kB. */
export function* noise(bytes: number, seed = 7): Generator<Buffer> {
  const stream = createCipheriv("aes-128-ctr", Buffer.alloc(16, seed), Buffer.alloc(16));
  for (let left = bytes; left > 0; left -= PIECE) yield stream.update(Buffer.alloc(Math.min(left, PIECE)));
}

export function digestOf(chunks: Iterable<Uint8Array>): string {
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}

export interface HandOff {
  /** `authenticating`: the login is handed over while its answer is on the way. Default */
  readonly phase?: SessionState["phase"];
  readonly pace?: LoginPace;
  /** Milliseconds for which nobody takes what the server says after the hand-off: it is replayed */
  readonly lingerMs?: number;
  readonly adopt?: Partial<AdoptOptions>;
}

export interface Exported {
  readonly pipe: Duplex;
  /** The server's bytes behind the border at which the session was handed over */
  readonly replay: Buffer;
  readonly state: SessionState;
}

/** Logs in and takes the session out of the SSH client, as a controller does; the raw bytes are kept as a relay does. */
export async function exported(target: Target, how: HandOff = {}): Promise<Exported> {
  const phase = how.phase ?? "authenticating";
  const pipe = await dialSocket(target.address, target.port, 10_000);
  const chunks: Buffer[] = [];
  const keep = (chunk: Buffer) => chunks.push(chunk);
  // Paused: nothing may pass before the client reads too
  const open = async () => pipe.on("data", keep).pause();
  const pace = how.pace ?? (phase === "authenticated" ? "plain" : "conformant");
  const session = await createLogin()(open, target, { pace });
  if (phase === "authenticated") await session.authenticated;
  const state = await session.handOff();
  if (how.lingerMs) {
    pipe.resume();
    await new Promise((resolve) => setTimeout(resolve, how.lingerMs));
    pipe.pause();
  }
  pipe.off("data", keep);
  return { pipe, replay: Buffer.concat(chunks).subarray(state.consumed), state };
}

/** Logs in to a lab server, hands the session over and adopts it here. */
export async function handedOver(server: RealServer, how: HandOff = {}): Promise<AdoptedSession> {
  const { pipe, replay, state } = await exported(targetOf(server), how);
  return adoptSession(pipe, replay, state, { name: "lab", ...how.adopt });
}

/** Runs a command with this input; everything that it wrote, and how it ended. */
export async function runCommand(session: AdoptedSession, command: string, input: Iterable<Uint8Array> = []) {
  const errors: Buffer[] = [];
  const { pipe, exit } = session.exec(command, (chunk) => errors.push(chunk));
  const output: Buffer[] = [];
  pipe.on("data", (chunk: Buffer) => output.push(chunk));
  Readable.from(input).pipe(pipe);
  await finished(pipe, { writable: false });
  return { output: Buffer.concat(output), stderr: Buffer.concat(errors).toString(), ...(await exit) };
}

/** Sends noise through `cat` and compares what comes back. */
export async function echoes(session: AdoptedSession, bytes: number, seed = 7): Promise<void> {
  const { pipe, exit } = session.exec("cat", () => {});
  const hash = createHash("sha256");
  pipe.on("data", (chunk: Buffer) => hash.update(chunk));
  Readable.from(noise(bytes, seed)).pipe(pipe);
  await finished(pipe, { writable: false });
  const { code } = await exit;
  const digest = hash.digest("hex");
  if (code !== 0 || digest !== digestOf(noise(bytes, seed)))
    throw new Error(`${bytes} bytes came back altered (status ${code})`);
}

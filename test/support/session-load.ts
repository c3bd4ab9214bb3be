/** Loads for handed-over sessions: data that no other position repeats, and its digest. */
import { createCipheriv, createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { type AdoptedSession, type AdoptOptions, adoptSession } from "../../relay/session/adopt.js";
import type { RealServer } from "./real-sshd.js";
import { type ExportOptions, exportSession } from "./ssh2-export.js";

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

export type HandOff = Partial<ExportOptions> & { readonly adopt?: Partial<AdoptOptions> };

/** Logs in to a lab server, hands the session over and adopts it here. */
export async function handedOver(server: RealServer, how: HandOff = {}): Promise<AdoptedSession> {
  const { adopt, ...rest } = how;
  const exported = await exportSession({
    port: server.port,
    username: server.user,
    privateKey: readFileSync(server.identityFiles[0]!, "utf8"),
    cipher: "aes128-gcm@openssh.com",
    phase: "authenticating",
    ...rest,
  });
  return adoptSession(exported.socket, exported.replay, exported.state, { name: "lab", ...adopt });
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

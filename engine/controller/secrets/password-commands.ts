import { spawn } from "node:child_process";
import { MopError } from "../../../transport/errors.js";
import { plain } from "../../../transport/ssh/plain.js";
import { markSecret, unfitSecret } from "../../vocabulary/secret.js";

/** What gets the password that a command of the inventory prints; `where` names host and variable in messages. */
export type PasswordCommands = (command: string, where: string) => () => Promise<string>;

export interface PasswordCommandOptions {
  /** Where commands run. Default: the working folder */
  readonly folder?: string | undefined;
  /** Kills what still runs */
  readonly signal?: AbortSignal | undefined;
}

type Outcome = { readonly password: string } | { readonly why: string };

/** Bytes that are kept of what a command says */
const KEPT = 64 * 1024;

/**
 * Runs password commands when a login or an elevation asks for their passwords, each distinct one once; nothing of
 * what it prints is shown but the last line of a failed one's stderr. Rejects with PASSWORD_COMMAND.
 */
export function passwordCommands(options: PasswordCommandOptions = {}): PasswordCommands {
  const outcomes = new Map<string, Promise<Outcome>>();
  return (command, where) => async () => {
    const outcome = outcomes.get(command) ?? run(command, options);
    outcomes.set(command, outcome);
    const settled = await outcome;
    if ("why" in settled) throw new MopError("PASSWORD_COMMAND", `${where} ${settled.why}`);
    return settled.password;
  };
}

function run(command: string, { folder, signal }: PasswordCommandOptions): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn("/bin/sh", ["-c", command], {
      stdio: ["ignore", "pipe", "pipe"],
      ...(folder === undefined ? {} : { cwd: folder }),
      ...(signal ? { signal } : {}),
    });
    let stdout = Buffer.alloc(0);
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      const grown = Buffer.concat([stdout, chunk]).subarray(0, KEPT);
      stdout.fill(0);
      chunk.fill(0);
      stdout = grown;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-KEPT);
    });
    child.once("error", (error) => resolve({ why: `can't be run: ${plain(error.message)}` }));
    child.once("close", (status, killedBy) => {
      const first = stdout.toString("utf8").split("\n", 1)[0]?.replace(/\r$/, "") ?? "";
      stdout.fill(0);
      const how = killedBy === null ? `failed with status ${status}` : `was ended by ${killedBy}`;
      const said = plain(stderr.trimEnd().split("\n").at(-1) ?? "");
      if (status !== 0) return resolve({ why: `${how}: ${said || "it didn't say why"}` });
      if (first === "") return resolve({ why: "printed no password: the first line of its output is empty" });
      if (unfitSecret(first) === undefined) markSecret(first);
      resolve({ password: first });
    });
  });
}

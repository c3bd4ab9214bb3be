import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { PolicyError } from "../policy-error.js";
import { readSettings } from "./read-settings.js";
import type { SshGiven, SshLookup } from "./ssh-settings.js";

export interface SshConfigOptions {
  /** As `ssh -F`: read instead of ~/.ssh/config and the system's; "none": read nothing */
  readonly file?: string | undefined;
  /** The program to ask. Default "ssh" */
  readonly program?: string;
}

/** Lookups at once: each is a process of a few milliseconds. */
const AT_ONCE = 8;
/** For `Match exec` of somebody's configuration, in ms. */
const PATIENCE_MS = 20_000;

/**
 * OpenSSH's own configuration, read by OpenSSH: `ssh -G` applies Include, Match and tokens as the user's ssh does.
 * Where no ssh is installed there is nothing to read either, unless a file was named: then it is a PolicyError.
 */
export function openSshLookup(options: SshConfigOptions = {}): SshLookup {
  const { file, program = "ssh" } = options;
  if (file !== undefined && file !== "none" && !existsSync(file))
    throw new PolicyError("the ssh configuration does not exist; see --ssh-config", { file });
  const enter = limit(AT_ONCE);
  return async (name, given = {}) => {
    const leave = await enter();
    try {
      const text = await ask(program, file, name, given);
      return text === undefined ? {} : readSettings(text, name);
    } finally {
      leave();
    }
  };
}

/** What is known already is told to ssh, since `Match` and tokens go by it. */
function ask(
  program: string,
  file: string | undefined,
  name: string,
  { user, port, hostName }: SshGiven,
): Promise<string | undefined> {
  const args = [
    "-G",
    ...(file === undefined ? [] : ["-F", file]),
    ...(user === undefined ? [] : ["-l", user]),
    ...(port === undefined ? [] : ["-p", String(port)]),
    ...(hostName === undefined ? [] : ["-o", `HostName=${hostName.replaceAll("%", "%%")}`]),
    "--",
    name,
  ];
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: PATIENCE_MS, maxBuffer: 1 << 20 }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      if ((error as NodeJS.ErrnoException).code === "ENOENT") {
        if (file === undefined || file === "none") return resolve(undefined);
        return reject(
          new PolicyError(
            "no ssh is installed to read the ssh configuration with; install OpenSSH's client",
            {
              file,
            },
          ),
        );
      }
      const why = stderr.trim().split("\n").at(-1) || (error.killed ? "it took too long" : "no reason given");
      reject(new PolicyError(`ssh's configuration can't be read for ${name}: ${why}`));
    });
  });
}

/** At most `most` inside at once; resolves with the way out. */
function limit(most: number): () => Promise<() => void> {
  let inside = 0;
  const waiting: (() => void)[] = [];
  const leave = () => {
    const next = waiting.shift();
    if (next) next();
    else inside--;
  };
  return async () => {
    if (inside < most) inside++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    return leave;
  };
}

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { PolicyError } from "../policy-error.js";
import type { SshLookup, SshSettings } from "./ssh-settings.js";

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
  return async (name) => {
    const leave = await enter();
    try {
      const text = await ask(program, file, name);
      return text === undefined ? {} : readSettings(text);
    } finally {
      leave();
    }
  };
}

function ask(program: string, file: string | undefined, name: string): Promise<string | undefined> {
  const args = ["-G", ...(file === undefined ? [] : ["-F", file]), "--", name];
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

/** What `ssh -G` printed: "keyword value" lines, keywords in lower case. */
export function readSettings(text: string): SshSettings {
  const values = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const space = line.indexOf(" ");
    if (space <= 0) continue;
    const keyword = line.slice(0, space);
    values.set(keyword, [...(values.get(keyword) ?? []), line.slice(space + 1).trim()]);
  }
  const one = (keyword: string): string | undefined => values.get(keyword)?.[0];
  const files = (...keywords: string[]): string[] | undefined => {
    const found = keywords.flatMap((keyword) => values.get(keyword) ?? []);
    return found.length === 0 ? undefined : found.flatMap(words).flatMap(home);
  };
  const identityFiles = values.get("identityfile")?.flatMap(home);
  return {
    hostName: one("hostname"),
    port: count(one("port")),
    user: one("user"),
    identityFiles,
    identitiesOnly: flag(one("identitiesonly")),
    proxyJump: one("proxyjump"),
    proxyCommand: proxyCommand(one("proxycommand")),
    hostKeyAlias: one("hostkeyalias"),
    knownHostsFiles: files("userknownhostsfile", "globalknownhostsfile"),
    hostKeys: hostKeys(one("stricthostkeychecking")),
    hashKnownHosts: flag(one("hashknownhosts")),
    connectTimeoutMs: seconds(one("connecttimeout")),
    keepaliveMs: seconds(one("serveraliveinterval")),
    identityAgent: identityAgent(one("identityagent")),
  };
}

function hostKeys(text: string | undefined): SshSettings["hostKeys"] {
  if (text === "accept-new") return "accept-new";
  if (text === "false" || text === "no" || text === "off") return "off";
  return text === "true" || text === "yes" ? "strict" : undefined;
}

function identityAgent(text: string | undefined): string | undefined {
  if (text === undefined || text === "SSH_AUTH_SOCK") return undefined;
  if (text.startsWith("$")) return process.env[text.slice(1).replace(/^\{|\}$/g, "")] ?? "none";
  return home(text)[0] ?? "none";
}

const proxyCommand = (text: string | undefined) => (text === "none" ? undefined : text);
const flag = (text: string | undefined) =>
  text === undefined ? undefined : text === "yes" || text === "true";
const count = (text: string | undefined) =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
const seconds = (text: string | undefined) => {
  const value = count(text);
  return value === undefined || value === 0 ? undefined : value * 1000;
};

/** Several files stand in one line; those with spaces in quotes. */
const words = (text: string): string[] =>
  [...text.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");

/** "none" is no file; `~` is ours to expand. */
const home = (file: string): string[] => {
  if (file === "none" || file === "") return [];
  return [file === "~" || file.startsWith("~/") ? path.join(os.homedir(), file.slice(1)) : file];
};

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

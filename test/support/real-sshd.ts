/**
 * OpenSSH and Dropbear as this machine has them, on a loopback port with throw-away keys. Everything lies in one
 * temporary folder that `stop` removes. Where a program is missing, `sshdMissing` or `dropbearMissing` says why.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { freePort } from "./ports.js";

/** A key type as ssh-keygen names it, with its size where that matters: "ed25519", "ecdsa:384", "rsa:2048". */
export type KeyKind = string;

export interface UserKey {
  readonly kind: KeyKind;
  /** Encrypts the private key's file */
  readonly passphrase?: string;
  /** Not in authorized_keys: the server refuses it */
  readonly refused?: boolean;
}

export interface RealServerOptions {
  /** Default: ed25519 only */
  readonly hostKeys?: readonly KeyKind[];
  /** Default: one ed25519 key without passphrase */
  readonly userKeys?: readonly (KeyKind | UserKey)[];
  /** Further lines of sshd_config (OpenSSH), or arguments (Dropbear) */
  readonly lines?: readonly string[];
}

export interface RealServer {
  readonly kind: "openssh" | "dropbear";
  readonly address: "127.0.0.1";
  readonly port: number;
  /** The account that this test runs as; the only one that a server of an ordinary user can log in */
  readonly user: string;
  /** Private key files in the order of `userKeys`; each has its public half next to it (.pub) */
  readonly identityFiles: readonly string[];
  /** Host keys as "type base64" */
  readonly hostKeys: readonly string[];
  /** A known_hosts file that holds exactly this server */
  readonly knownHostsFile: string;
  /** Temporary folder of this server; tests may put files there */
  readonly folder: string;
  readonly pid: number;
  /** What the server has logged so far */
  log(): string;
  stop(): Promise<void>;
}

const SSHD = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"].find(existsSync);
const DROPBEAR = ["/usr/sbin/dropbear", "/usr/bin/dropbear"].find(existsSync);
const found = (name: string) =>
  (process.env.PATH ?? "").split(path.delimiter).some((folder) => existsSync(path.join(folder, name)));

export const sshdMissing = !SSHD
  ? "sshd is not installed"
  : !found("ssh-keygen")
    ? "ssh-keygen is not installed"
    : undefined;

const succeeds = (program: string, args: readonly string[]) =>
  spawnSync(program, args, { stdio: "ignore" }).status === 0;
/** Newer Dropbears are told where authorized_keys lies; older ones get a home of their own in a mount namespace. */
const dropbearTakesFolder =
  DROPBEAR !== undefined && /^-D/m.test(spawnSync(DROPBEAR, ["-h"]).stderr.toString());
export const dropbearMissing = !DROPBEAR
  ? "dropbear is not installed"
  : !found("dropbearkey") || !found("ssh-keygen")
    ? "dropbearkey or ssh-keygen is not installed"
    : !dropbearTakesFolder && !succeeds("unshare", ["--mount", "true"])
      ? "this dropbear reads the user's own authorized_keys only, and only root can give it a home of its own"
      : undefined;

/** Makes a key pair with ssh-keygen; the public half lies in `${file}.pub`. */
export function makeKey(file: string, kind: KeyKind, passphrase = ""): void {
  const [type, bits] = kind.split(":");
  const size = bits ? ["-b", bits] : [];
  execFileSync("ssh-keygen", [
    "-q",
    "-t",
    type!,
    ...size,
    "-N",
    passphrase,
    "-C",
    `test-${kind}`,
    "-f",
    file,
  ]);
}

const publicHalf = (file: string) =>
  readFileSync(`${file}.pub`, "utf8").split(" ").slice(0, 2).join(" ").trim();

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    const done = (up: boolean) => {
      socket.destroy();
      resolve(up);
    };
    socket
      .once("data", () => done(true))
      .once("error", () => done(false))
      .once("close", () => done(false));
  });
}

async function launch(
  kind: RealServer["kind"],
  program: string,
  args: readonly string[],
  parts: Omit<RealServer, "kind" | "address" | "user" | "knownHostsFile" | "pid" | "log" | "stop">,
): Promise<RealServer> {
  const child: ChildProcess = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr!.on("data", (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-200_000);
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill();
    await ended;
    rmSync(parts.folder, { recursive: true, force: true });
  };
  for (let tries = 0; !(await answers(parts.port)); tries++) {
    if (child.exitCode !== null || tries > 100) {
      await stop();
      throw new Error(`${program} doesn't start: ${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const knownHostsFile = path.join(parts.folder, "known_hosts");
  writeFileSync(knownHostsFile, parts.hostKeys.map((key) => `[127.0.0.1]:${parts.port} ${key}\n`).join(""));
  const user = os.userInfo().username;
  return {
    ...parts,
    kind,
    address: "127.0.0.1",
    user,
    knownHostsFile,
    pid: child.pid!,
    log: () => log,
    stop,
  };
}

function prepare(options: RealServerOptions): {
  folder: string;
  identityFiles: string[];
  authorized: string;
} {
  const folder = mkdtempSync(path.join(os.tmpdir(), "mop-sshd-"));
  const authorized: string[] = [];
  const identityFiles = (options.userKeys ?? ["ed25519"]).map((key, i) => {
    const { kind, passphrase, refused } = typeof key === "string" ? ({ kind: key } as UserKey) : key;
    const file = path.join(folder, `user${i}`);
    makeKey(file, kind, passphrase);
    if (!refused) authorized.push(publicHalf(file));
    return file;
  });
  return { folder, identityFiles, authorized: `${authorized.join("\n")}\n` };
}

/** An sshd of this machine; skip the test with `sshdMissing` where there is none. */
export async function startSshd(options: RealServerOptions = {}): Promise<RealServer> {
  if (sshdMissing) throw new Error(sshdMissing);
  const { folder, identityFiles, authorized } = prepare(options);
  const port = await freePort();
  const hostKeyFiles = (options.hostKeys ?? ["ed25519"]).map((kind, i) => {
    const file = path.join(folder, `host${i}`);
    makeKey(file, kind);
    return file;
  });
  const authorizedKeys = path.join(folder, "authorized_keys");
  writeFileSync(authorizedKeys, authorized, { mode: 0o600 });
  // sshd started by root wants its privilege separation folder
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
  const config = path.join(folder, "sshd_config");
  // Lines of the test come first: sshd takes the first value of an option
  const lines = [
    ...(options.lines ?? []),
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    ...hostKeyFiles.map((file) => `HostKey ${file}`),
    `AuthorizedKeysFile ${authorizedKeys}`,
    "PidFile none",
    "StrictModes no",
    "UsePAM no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "MaxStartups 200",
    "LogLevel VERBOSE",
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  const hostKeys = hostKeyFiles.map(publicHalf);
  return launch("openssh", SSHD!, ["-D", "-e", "-f", config], { port, folder, identityFiles, hostKeys });
}

/** A Dropbear of this machine; skip the test with `dropbearMissing` where there is none. */
export async function startDropbear(options: RealServerOptions = {}): Promise<RealServer> {
  if (dropbearMissing) throw new Error(dropbearMissing);
  const { folder, identityFiles, authorized } = prepare(options);
  const port = await freePort();
  const hostKeys: string[] = [];
  const hostKeyArgs = (options.hostKeys ?? ["ed25519"]).flatMap((kind, i) => {
    const [type, bits] = kind.split(":");
    const file = path.join(folder, `host${i}`);
    const out = execFileSync("dropbearkey", ["-t", type!, ...(bits ? ["-s", bits] : []), "-f", file], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const line = out
      .toString()
      .split("\n")
      .find((text) => /^(ssh|ecdsa)-/.test(text));
    hostKeys.push(line!.split(" ").slice(0, 2).join(" "));
    return ["-r", file];
  });
  const home = path.join(folder, "home");
  const keysFolder = path.join(home, ".ssh");
  mkdirSync(keysFolder, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(keysFolder, "authorized_keys"), authorized, { mode: 0o600 });
  const args = ["-F", "-E", ...hostKeyArgs, "-p", `127.0.0.1:${port}`, ...(options.lines ?? [])];
  const parts = { port, folder, identityFiles, hostKeys };
  if (dropbearTakesFolder) return launch("dropbear", DROPBEAR!, [...args, "-D", keysFolder], parts);
  const script = 'mount --bind "$0" "$1" && shift && exec "$@"';
  const inside = ["--mount", "sh", "-c", script, home, os.userInfo().homedir, DROPBEAR!, ...args];
  return launch("dropbear", "unshare", inside, parts);
}

/** A PostgreSQL server of one's own, on loopback, from the programs that the system has. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import pg from "pg";
import { freePort } from "./ports.js";

export interface Postgres {
  readonly url: string;
  /** Ends all connections of others */
  cutAll(): Promise<void>;
  /** How many wait for an advisory lock */
  waiting(): Promise<number>;
  close(): Promise<void>;
}

const DEBIAN = "/usr/lib/postgresql";

/** The folder of PostgreSQL's programs: in PATH, or where Debian has them. */
function programs(): string | undefined {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  if (existsSync(DEBIAN))
    for (const version of readdirSync(DEBIAN)) folders.push(path.join(DEBIAN, version, "bin"));
  return folders.find((folder) =>
    ["initdb", "postgres"].every((name) => existsSync(path.join(folder, name))),
  );
}

/** PostgreSQL doesn't run as root; its packages bring a user for it. undefined: none. */
function account(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  try {
    const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { stdio: "pipe" }));
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    return undefined;
  }
}

/** Why there can be none on this machine; undefined: there can. */
export const postgresMissing: string | undefined =
  programs() === undefined
    ? "PostgreSQL is not installed"
    : account() === undefined
      ? "PostgreSQL doesn't run as root, and there is no user postgres"
      : undefined;

export async function startPostgres(): Promise<Postgres> {
  const bin = programs()!;
  const who = account()!;
  const folder = mkdtempSync(path.join(os.tmpdir(), "mop-postgres-"));
  chownSync(folder, who.uid, who.gid);
  const as = process.getuid?.() === 0 ? who : {};
  const env = { PATH: process.env.PATH, LC_ALL: "C" };
  const data = path.join(folder, "data");
  const options = ["-D", data, "-U", "mop", "--auth=trust", "--no-sync", "-E", "UTF8"];
  execFileSync(path.join(bin, "initdb"), options, { ...as, env, cwd: folder, stdio: "pipe" });
  const port = await freePort();
  const settings = [
    "-D",
    data,
    "-p",
    String(port),
    "-k",
    folder,
    "-c",
    "listen_addresses=127.0.0.1",
    "-c",
    "fsync=off",
  ];
  const server = spawn(path.join(bin, "postgres"), settings, {
    ...as,
    env,
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  server.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const url = `postgres://mop@127.0.0.1:${port}/postgres`;
  const close = async () => {
    await ended(server);
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = 100; ; tries--) {
    try {
      await query(url, "select 1");
      break;
    } catch (error) {
      if (tries > 0 && server.exitCode === null) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        continue;
      }
      await close();
      throw new Error(`PostgreSQL did not start: ${said}`, { cause: error });
    }
  }
  const cut =
    "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'";
  const waiting = "select pid from pg_locks where locktype = 'advisory' and not granted";
  return {
    url,
    async cutAll() {
      await query(url, cut);
    },
    waiting: () => query(url, waiting),
    close,
  };
}

/** Gives how many rows there are. */
async function query(url: string, text: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query(text)).rows.length;
  } finally {
    await client.end();
  }
}

/** A fast shutdown: open connections are ended. */
async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const gone = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGINT");
  await gone;
}

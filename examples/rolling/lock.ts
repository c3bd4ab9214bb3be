/**
 * A lock that one run in the world holds at a time: an advisory lock of PostgreSQL's, which lasts as long as the
 * connection. So it is given up however the run ends: done, failed, interrupted, killed.
 */
import { Socket } from "node:net";
import os from "node:os";
import pg from "pg";

/** PostgreSQL's number of a lock with this name */
const KEY = "hashtextextended($1, 0)";
const HOLDER = `
  select application_name as name from pg_locks join pg_stat_activity using (pid)
  where locktype = 'advisory' and granted and objsubid = 1 and (classid::bigint << 32) | objid::bigint = ${KEY}`;
/** What PostgreSQL says when `lock_timeout` is over */
const NOT_AVAILABLE = "55P03";

export class RunLock {
  readonly #name: string;
  readonly #url: string | undefined;
  readonly #waitSeconds: number;
  #held: Promise<void> | undefined;
  #lost: Error | undefined;

  /** `waitSeconds`: how long another run is waited for; 0 refuses at once */
  constructor(name: string, url: string | undefined, waitSeconds: number) {
    this.#name = name;
    this.#url = url;
    this.#waitSeconds = waitSeconds;
  }

  /** Resolves when this run has the lock; it keeps it until the program ends. Each host of a batch may ask. */
  async hold(signal: AbortSignal): Promise<void> {
    this.#held ??= this.#take(signal);
    await this.#held;
    // Another run may have it by now: what has begun is finished, and no further host is touched.
    if (this.#lost) throw new Error(`the lock "${this.#name}" was lost on the way: ${this.#lost.message}`);
  }

  async #take(signal: AbortSignal): Promise<void> {
    if (this.#url === undefined) throw new Error("MOP_LOCK is not set; give a PostgreSQL URL in it");
    const socket = new Socket();
    const client = new pg.Client({
      connectionString: this.#url,
      stream: () => socket,
      application_name: `mop of ${os.userInfo().username} on ${os.hostname()}, process ${process.pid}`,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
    });
    client.on("error", (error) => {
      this.#lost = error;
    });
    await client.connect();
    const giveUp = () => void client.end();
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      // 0 would mean: for ever.
      await client.query(`set lock_timeout = ${Math.max(1, Math.round(this.#waitSeconds * 1000))}`);
      await client.query(`select pg_advisory_lock(${KEY})`, [this.#name]);
    } catch (error) {
      if (signal.aborted) throw new Error("the run was interrupted while it waited for the lock");
      const busy = (error as { code?: string }).code === NOT_AVAILABLE;
      const holder = busy
        ? (await client.query<{ name: string }>(HOLDER, [this.#name])).rows[0]?.name
        : undefined;
      await client.end();
      throw busy
        ? new Error(`the lock "${this.#name}" is held by ${holder ?? "another run"}; try again later`)
        : error;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
    // The connection shall live as long as the program, but not keep it from ending.
    socket.unref();
  }
}

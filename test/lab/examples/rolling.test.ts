import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { StoppedEvent } from "../../../engine/vocabulary/events.js";
import { until } from "../../support/alive.js";
import { createLab, type Lab } from "../../support/lab.js";
import {
  built,
  changedOf,
  type MopRun,
  resourcesOf,
  type StartedMop,
  startMop,
  summaryOf,
} from "../../support/mop.js";
import { type Postgres, postgresMissing, startPostgres } from "../../support/postgres.js";

const names = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `l${from + i}`);

/** A load balancer that tells what it was asked, in order: "a out l1", "a in l1", where a run's first letter is in its address. */
async function startBalancer() {
  const said: string[] = [];
  /** Sessions that a server still has; each look finds one less */
  const sessions = new Map<string, number>();
  const server: Server = createServer(async (request, response) => {
    const [, run, , name = ""] = (request.url ?? "").split("/");
    let text = "";
    for await (const chunk of request) text += chunk;
    if (request.method === "PUT")
      said.push(`${run} ${(JSON.parse(text) as { state: string }).state === "drain" ? "out" : "in"} ${name}`);
    const left = sessions.get(name) ?? 0;
    if (request.method === "GET") {
      said.push(`${run} ${left} at ${name}`);
      sessions.set(name, Math.max(0, left - 1));
    }
    response.end(JSON.stringify({ sessions: left }));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    said,
    sessions,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

describe.skipIf(!built || postgresMissing !== undefined)(
  `examples/rolling, with PostgreSQL's lock, on 12 hosts behind two bastions ${postgresMissing ? `(${postgresMissing})` : ""}`,
  () => {
    let postgres: Postgres;
    let balancer: Awaited<ReturnType<typeof startBalancer>>;
    let lab: Lab;
    const running: StartedMop[] = [];
    beforeAll(async () => {
      postgres = await startPostgres();
    });
    afterAll(() => postgres.close());
    beforeEach(async () => {
      lab = await createLab({ leaves: 12 });
      balancer = await startBalancer();
    });
    afterEach(async () => {
      for (const { child, done } of running.splice(0)) {
        child.kill("SIGKILL");
        await done;
      }
      await lab.close();
      await balancer.close();
    });

    interface Settings {
      readonly as?: string;
      /** Seconds for the lock: PostgreSQL hears a moment later of a run that ended */
      readonly wait?: number;
      /** Seconds that a host has to be well */
      readonly patience?: number;
      /** A command that tells whether a host is well, run in its folder */
      readonly health?: string;
      readonly version?: string;
    }
    /** The type checker looks at it once, under --check. */
    const typed = (args: readonly string[]) => (args.includes("--check") ? [] : ["--no-type-check"]);
    const start = (settings: Settings, ...args: string[]): StartedMop => {
      const { as = "a", wait = 30, health = "true", patience = 60, version = "v1" } = settings;
      const vars = `version=${version} patience=${patience} health="${health}"`;
      const started = startMop(
        ["push", "examples/rolling", ...lab.options, "-o", "json", "-e", vars, ...typed(args), ...args],
        {
          env: { MOP_BALANCER: `${balancer.url}/${as}`, MOP_LOCK: postgres.url, MOP_LOCK_WAIT: String(wait) },
        },
      );
      running.push(started);
      return started;
    };
    const push = (settings: Settings = {}, ...args: string[]): Promise<MopRun> =>
      start(settings, ...args).done;
    /** Hosts that were taken out, or put back, in order. */
    const asked = (what: "in" | "out", as = "a") =>
      balancer.said.flatMap((line) =>
        line.startsWith(`${as} ${what} `) ? [line.slice(as.length + what.length + 2)] : [],
      );
    const stoppedOf = (run: MopRun) =>
      run.events
        .filter((event): event is StoppedEvent => event.event === "stopped")
        .map(({ role, hosts }) => ({ role, hosts }));
    const version = (leaf: string) => {
      const file = path.join(lab.host(leaf).folder, "rolling/current/app.conf");
      return existsSync(file) ? readFileSync(file, "utf8").trim().split(" ").at(-1) : undefined;
    };
    /** Fails in the folder of this host */
    const sick = (leaf: string) => `case $PWD in */${leaf}/*) exit 1;; esac`;

    test("goes on by 1, 3 and all others, each batch out before its work and in again before the next; a second run changes nothing", async () => {
      const checked = await push({}, "--check", "--diff");
      expect(checked.status, checked.stdout).toBe(0);
      expect(balancer.said, "a check asks nobody").toEqual([]);
      balancer.sessions.set("l1", 1);
      const run = await push();
      expect(run.status, run.stdout + run.stderr).toBe(0);
      // The sessions of l1 were over before anything was done there.
      expect(balancer.said.slice(0, 4)).toEqual(["a out l1", "a 1 at l1", "a 0 at l1", "a in l1"]);
      const order = balancer.said.filter((line) => / (in|out) /.test(line)).map((line) => line.slice(2));
      const batches = [names(1, 1), names(2, 4), names(5, 12)];
      for (const batch of batches) {
        const part = order.splice(0, batch.length * 2);
        expect(part.slice(0, batch.length).sort()).toEqual(batch.map((leaf) => `out ${leaf}`).sort());
        expect(part.slice(batch.length).sort()).toEqual(batch.map((leaf) => `in ${leaf}`).sort());
      }
      for (const leaf of lab.leaves) {
        expect(changedOf(run, leaf)).toEqual([
          "directory v1",
          "file app.conf",
          "link current",
          "shell echo restarted >> restarts.log",
        ]);
        expect(version(leaf)).toBe("v1");
      }
      const again = await push();
      expect(again.status).toBe(0);
      expect(changedOf(again)).toEqual([]);
      const next = await push({ version: "v2" });
      expect(next.status, next.stdout).toBe(0);
      expect(
        resourcesOf(next, "l7").filter(({ role, status }) => role === "tidy" && status === "changed"),
      ).toHaveLength(1);
      expect(existsSync(path.join(lab.host("l7").folder, "rolling/releases/v1"))).toBe(false);
    });

    test("host 5 fails, in the last batch: its batch is finished, it stays out, and the role behind stops on every other host", async () => {
      const run = await push({ health: sick("l5"), patience: 1 });
      expect(run.status).toBe(2);
      expect(asked("out").sort()).toEqual(names(1, 12).sort());
      expect(asked("in").sort()).toEqual(
        names(1, 12)
          .filter((leaf) => leaf !== "l5")
          .sort(),
      );
      expect(run.stderr).toContain("l5 stays out of the load balancer");
      expect(stoppedOf(run)).toEqual([{ role: "tidy", hosts: names(1, 12).filter((leaf) => leaf !== "l5") }]);
      expect(lab.leaves.map(version)).toEqual(Array(12).fill("v1"));
      // The lock went with the run: the next one doesn't have to wait. What was changed already is no reason to keep l5 out.
      const repaired = await push({ as: "b" });
      expect(repaired.status, repaired.stdout).toBe(0);
      expect(asked("in", "b")).toContain("l5");
    });

    test("host 3 fails, in the second batch: the third is neither taken out nor touched", async () => {
      const run = await push({ health: sick("l3"), patience: 1 });
      expect(run.status).toBe(2);
      expect(asked("out").sort()).toEqual(names(1, 4));
      expect(asked("in").sort()).toEqual(["l1", "l2", "l4"]);
      expect(stoppedOf(run)).toEqual([
        { role: "app", hosts: names(5, 12) },
        { role: "tidy", hosts: ["l1", "l2", ...names(4, 12)] },
      ]);
      expect(lab.leaves.map(version)).toEqual([...Array(4).fill("v1"), ...Array(8).fill(undefined)]);
    });

    test("of two runs at the same time the second waits for the first, or refuses and names who holds the lock", async () => {
      const first = start({ as: "a", health: "sleep 0.5" });
      await until("the first run to begin", () => asked("out").length > 0);
      const refused = await push({ as: "c", wait: 0 });
      const waiting = start({ as: "b", wait: 60, version: "v2" });
      expect(refused.status).toBe(2);
      expect(asked("out", "c")).toEqual([]);
      expect(resourcesOf(refused)).toEqual([]);
      expect(refused.stdout).toMatch(
        new RegExp(
          `the lock \\\\"rolling update of the app\\\\" is held by mop of \\\\?\\S+ on \\S+, process ${first.child.pid};`,
        ),
      );
      const [one, two] = await Promise.all([first.done, waiting.done]);
      expect([one.status, two.status], two.stdout).toEqual([0, 0]);
      const lines = balancer.said.map((line) => line[0]).join("");
      expect(lines, "one after the other").toMatch(/^a+b+$/);
      expect(version("l12")).toBe("v2");
    });

    test("an interrupt and a kill give up the lock; the host amid its work stays out", async () => {
      for (const signal of ["SIGINT", "SIGKILL"] as const) {
        const run = start({ health: "sleep 30" });
        await until("l1 to be out", () => balancer.said.at(-1) === "a 0 at l1");
        await until("work at l1", () => existsSync(path.join(lab.host("l1").folder, "rolling/restarts.log")));
        run.child.kill(signal);
        const { status, stderr } = await run.done;
        expect(status).toBe(signal === "SIGINT" ? 130 : null);
        if (signal === "SIGINT") expect(stderr).toContain("l1 stays out of the load balancer");
        expect(asked("in")).toEqual([]);
        const next = await push({ as: "b" }, "--limit-hosts", "l2");
        expect(next.status, next.stdout).toBe(0);
      }
    });

    test("an interrupt ends a run that waits for the lock, and it has touched nothing", async () => {
      const first = start({ health: "sleep 30" });
      await until("the first run to begin", () => asked("out").length > 0);
      const waiting = start({ as: "b", wait: 60 });
      await expect.poll(() => postgres.waiting(), { timeout: 20_000 }).toBe(1);
      waiting.child.kill("SIGINT");
      const interrupted = await waiting.done;
      expect(interrupted.status).toBe(130);
      expect(interrupted.stdout).toContain("interrupted while it waited for the lock");
      expect(asked("out", "b")).toEqual([]);
      first.child.kill("SIGINT");
      await first.done;
    });

    test("a run that loses the lock finishes its batch and takes no further host out", async () => {
      const run = start({ health: "sleep 1" });
      await until("the first host", () => asked("out").length > 0);
      await postgres.cutAll();
      const ended = await run.done;
      expect(ended.status).toBe(2);
      expect(asked("out")).toEqual(["l1"]);
      expect(asked("in")).toEqual(["l1"]);
      expect(ended.stdout).toContain("was lost on the way");
      expect(summaryOf(ended).hosts.l1).toMatchObject({ failed: 0 });
    });
  },
);

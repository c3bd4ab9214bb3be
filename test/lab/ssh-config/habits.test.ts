import { execFile, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { built, connectedOf, type MopRun, mop } from "../../support/mop.js";
import { sshdMissing } from "../../support/real-sshd.js";
import type { Habit } from "./cases.js";
import { type HabitLab, startHabitLab, writeHabits } from "./habit-lab.js";

const run = promisify(execFile);

/** The server's port, the client's address, the account, and what let it in, as the server knows them. */
const WHO = 'set -- $SSH_CONNECTION; echo "$4 $1 $(id -un) $(cat "$SSH_USER_AUTH")"';

const skipped =
  sshdMissing ??
  (spawnSync("ssh", ["-V"]).error ? "ssh is not installed" : undefined) ??
  (built ? undefined : "mop is not built");

describe.skipIf(skipped)("what ssh does with a configuration, mop does without further settings", () => {
  let lab: HabitLab;
  let cases: readonly Habit[];
  let file: string;
  let pushed: MopRun;
  const bySsh = new Map<string, { readonly who: string; readonly bastions: number }>();

  const loginsAt = (servers: readonly { log(): string }[]) =>
    servers.reduce((sum, server) => sum + (server.log().match(/Accepted publickey/g) ?? []).length, 0);

  beforeAll(async () => {
    lab = await startHabitLab();
    ({ file, cases } = writeHabits(lab));
    const inventory = path.join(lab.folder, "inventory.toml");
    writeFileSync(inventory, `[groups.all.hosts]\n${cases.map(({ host }) => `"${host}" = ""\n`).join("")}`);
    const ask = async ({ host }: Habit) => {
      const before = loginsAt([lab.b1, lab.b2]);
      const { stdout } = await run("ssh", ["-n", "-F", file, host, WHO], {
        env: { ...lab.env, HABITS_BY: "ssh" },
        timeout: 30_000,
      });
      bySsh.set(host, { who: stdout.trim(), bastions: loginsAt([lab.b1, lab.b2]) - before });
    };
    // Where bastions are passed, their logins are counted: one after another
    const passing = cases.filter(({ route, beside, server }) => route || beside || server);
    const others = cases.filter((one) => !passing.includes(one));
    for (let at = 0; at < others.length; at += 6) await Promise.all(others.slice(at, at + 6).map(ask));
    for (const one of passing) await ask(one);
    pushed = await mop(["run", "-v", "-i", inventory, "-F", file, "-o", "json", "--", WHO], {
      env: { ...lab.env, HABITS_BY: "mop" },
    });
  });
  afterAll(() => lab?.stop());

  test("is tried with 15 configurations and more, each of which ssh itself takes", () => {
    expect(cases.length).toBeGreaterThanOrEqual(15);
    for (const { host, habit, server, from, key, route = [], beside = 0 } of cases) {
      const { who, bastions } = bySsh.get(host)!;
      const [port, client, user, method, type, blob] = who.split(" ");
      expect([port, client, user, method], habit).toEqual([
        String((server ? lab[server] : lab.leaf).port),
        from ?? "127.0.0.1",
        lab.me,
        "publickey",
      ]);
      expect(bastions - (server ? 1 : 0), habit).toBe(route.length + beside);
      const files = { second: lab.leaf.identityFiles[1], agent: path.join(lab.folder, "in-agent") };
      if (key === "certificate") expect(type, habit).toBe("ssh-ed25519-cert-v01@openssh.com");
      else if (!server) {
        const own = readFileSync(`${key ? files[key] : lab.leaf.identityFiles[0]}.pub`, "utf8").split(" ");
        expect(blob, habit).toBe(own[1]);
      }
    }
  });

  test("the same server lets the same account in with the same key, over the same hops", () => {
    expect(pushed.status, pushed.stdout + pushed.stderr).toBe(0);
    const texts = new Map<string, string>();
    for (const event of pushed.events)
      if (event.event === "output" && event.stream === "stdout")
        texts.set(event.host, (texts.get(event.host) ?? "") + event.text);
    const routes = new Map(connectedOf(pushed).map(({ host, route }) => [host, route]));
    for (const { host, habit, route = [] } of cases) {
      expect(texts.get(host)?.trim(), habit).toBe(bySsh.get(host)!.who);
      expect(routes.get(host), habit).toEqual([...route, host]);
    }
  });

  test("new keys are recorded as ssh records them", () => {
    const recorded = (by: string) =>
      readFileSync(path.join(lab.folder, `new-${by}`), "utf8")
        .trim()
        .split("\n")
        .map((line) => line.split(" "));
    expect(recorded("mop")).toHaveLength(1);
    expect(recorded("ssh")).toContainEqual(recorded("mop")[0]);
  });
});

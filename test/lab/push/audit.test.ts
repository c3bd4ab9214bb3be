import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fingerprint } from "../../../transport/ssh/public-key.js";
import { createLab, type Lab, type LabOptions } from "../../support/lab.js";
import { built, mop } from "../../support/mop.js";

const SECRET = "p4ss of the audit";

interface Line {
  readonly time: string;
  readonly run: string;
  readonly operator: string;
  readonly event: "login" | "hand-off" | "elevation";
  readonly host: string;
  readonly route: readonly string[];
  readonly outcome: string;
  readonly [name: string]: unknown;
}

describe.skipIf(!built)("the operator's audit log", () => {
  let lab: Lab;
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(path.join(os.tmpdir(), "mop-audit-"));
  });
  afterEach(async () => {
    await lab.close();
    rmSync(home, { recursive: true, force: true });
  });

  const file = () => path.join(home, ".mop/audit.log");
  const lines = () =>
    readFileSync(file(), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
  const ping = async (options: LabOptions, ...args: string[]) => {
    lab = await createLab(options);
    return mop(["ping", ...lab.options, "-o", "json", ...args], { env: { HOME: home, USER: "alice" } });
  };
  const told = () => lines().map(({ event, host, outcome }) => `${event} ${host} ${outcome}`);

  test("has the login that a jump goes on with once, and names the relay that carries what is behind it", async () => {
    const run = await ping({ leaves: 1, hosts: { b2: { path: "" } } });
    expect(run.status, run.stderr).toBe(0);
    expect(told()).toEqual(["login b1 ok", "login b2 ok", "hand-off b2 ok", "login l1 ok", "hand-off l1 ok"]);
    expect(lines().map(({ to }) => to)).toEqual([undefined, undefined, "b1", undefined, "b1"]);
  });

  test("has each login and hand-off of a run, with account, route, key and pace", async () => {
    const run = await ping({ leaves: 2 });
    expect(run.status, run.stderr).toBe(0);
    expect(told().sort()).toEqual(
      [
        "login b1 ok",
        "login b2 ok",
        "hand-off b2 ok",
        "login l1 ok",
        "hand-off l1 ok",
        "login l2 ok",
        "hand-off l2 ok",
      ].sort(),
    );
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    const publicLine = execFileSync("ssh-keygen", ["-y", "-f", lab.identityFile], { encoding: "utf8" });
    const key = Buffer.from(publicLine.split(" ")[1]!, "base64");
    const [l1, handed] = lines().filter(({ host }) => host === "l1");
    const host = lab.host("l1");
    const common = {
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      run: lines()[0]!.run,
      operator: expect.stringMatching(/^alice@/),
      host: "l1",
      account: "deploy",
      address: `${host.address}:${host.port}`,
      route: ["b1", "b2", "l1"],
      outcome: "ok",
    };
    expect(l1).toEqual({
      ...common,
      event: "login",
      method: "publickey",
      key: fingerprint(key),
      pace: "eager",
    });
    expect(handed).toEqual({ ...common, event: "hand-off", to: "b2" });
    expect(common.run).toMatch(/^[0-9a-f]{4}$/);
  });

  test("has no hand-off where sessions stay end to end, and a jump's login too", async () => {
    await ping({
      leaves: 1,
      hosts: { b1: { vars: { mop_hop: "jump" } }, b2: { vars: { mop_hop: "sealed" } } },
    });
    expect(told()).toEqual(["login b1 ok", "login b2 ok", "login l1 ok"]);
  });

  test("names the method where it was a password, and never the password", async () => {
    const vars = { mop_password_command: `echo '${SECRET}'` };
    const wrong = { mop_password: `${SECRET} not` };
    const locked = { acceptsKey: false, password: SECRET };
    await ping({
      bastions: 1,
      leaves: 2,
      hosts: { l1: { ...locked, vars }, l2: { ...locked, vars: wrong } },
    });
    const good = lines().filter(
      ({ event, outcome, host }) => event === "login" && host === "l1" && outcome === "ok",
    );
    expect(good).toMatchObject([{ method: "password", pace: "plain" }]);
    expect(good[0]).not.toHaveProperty("key");
    const refused = lines().filter(({ event, host }) => event === "login" && host === "l2");
    expect(refused.length).toBeGreaterThan(0);
    for (const { outcome } of refused) expect(outcome).toMatch(/^l2.* refused the login/);
    expect(refused.at(-1)).toMatchObject({
      pace: "plain",
      outcome: expect.stringMatching(/tried .*password/),
    });
    expect(readFileSync(file(), "utf8")).not.toContain(SECRET);
  });

  test("has what was refused, with the reason", async () => {
    await ping({ leaves: 2, hosts: { l1: { knownAs: "another" } } });
    const l1 = lines().filter(({ host }) => host === "l1");
    expect(l1).toMatchObject([
      { event: "login", outcome: expect.stringContaining("the host key has changed") },
    ]);
    expect(l1[0]).not.toHaveProperty("key");
    expect(told()).toContain("login l2 ok");
  });

  test.each([
    ['while [ "$1" != sh ]; do shift; done; exec "$@"', "ok", 0],
    ["echo 'alice is not in the sudoers file' >&2; exit 1", expect.stringContaining("sudoers"), 4],
  ] as const)(
    "has each elevation and how it ended, by a sudo that is: %s",
    async (script, outcome, status) => {
      lab = await createLab({ bastions: 0, leaves: 1 });
      const sudo = path.join(home, "sudo");
      writeFileSync(sudo, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const inventory = path.join(home, "inventory.toml");
      writeFileSync(inventory, '[hosts.here.vars]\nmop_hop = "local"\n');
      const run = await mop(
        ["run", "-i", inventory, "-b", "--become-user", "shop", "-o", "json", "--", "true"],
        {
          env: { HOME: home, PATH: `${home}:${process.env.PATH}` },
        },
      );
      expect(run.status, run.stdout + run.stderr).toBe(status);
      expect(lines()).toMatchObject([
        { event: "elevation", host: "here", address: "localhost", method: "sudo", become: "shop", outcome },
      ]);
    },
  );

  test("is kept elsewhere or not at all where the defaults say so", async () => {
    mkdirSync(path.join(home, ".mop"));
    const defaults = (text: string) => writeFileSync(path.join(home, ".mop/defaults.toml"), text);
    defaults("[audit]\nenabled = false\n");
    await ping({ bastions: 0, leaves: 1 });
    expect(existsSync(file())).toBe(false);
    await lab.close();
    defaults(`[audit]\npath = "${home}/deep/er/log"\n`);
    await ping({ bastions: 0, leaves: 1 });
    expect(readFileSync(path.join(home, "deep/er/log"), "utf8")).toMatch(/^\{.*"event":"login".*\}\n$/);
    expect(existsSync(file())).toBe(false);
  });

  test("that can't be written is told once and fails nothing", async () => {
    writeFileSync(path.join(home, ".mop"), "a file");
    const run = await ping({ leaves: 2 });
    expect(run.status).toBe(0);
    expect(run.stderr.match(/^mop: the log ~\/\.mop\/audit\.log can't be written: /gm)).toHaveLength(1);
  });
});

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { alive, until } from "../../support/alive.js";
import { built, mop, startMop, unreachableOf } from "../../support/mop.js";
import { type RealServer, sshdMissing, startSshd } from "../../support/real-sshd.js";

const skipped = sshdMissing ?? (built ? undefined : "mop is not built");

describe.skipIf(skipped)("ProxyCommand", () => {
  let server: RealServer;
  let folder: string;
  const left = new Set<number>();

  beforeAll(async () => {
    server = await startSshd();
    folder = mkdtempSync(path.join(os.tmpdir(), "mop-proxy-"));
    writeFileSync(
      path.join(folder, "pipe.cjs"),
      'const s = require("node:net").connect(Number(process.argv[2]), "127.0.0.1"); process.stdin.pipe(s).pipe(process.stdout);',
    );
  });
  afterEach(() => {
    for (const pid of left) if (alive(pid)) process.kill(pid, "SIGKILL");
    left.clear();
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A configuration and an inventory of these hosts; mop's options for them. */
  const setUp = (hosts: Readonly<Record<string, string>>, inventory = "") => {
    const config = path.join(folder, "config");
    const blocks = Object.entries(hosts).map(([name, lines]) => `Host ${name}\n${lines}\n`);
    const all = `Host *\nHostName 127.0.0.1\nPort ${server.port}\nUser ${server.user}\nIdentityFile ${server.identityFiles[0]}\nUserKnownHostsFile ${server.knownHostsFile}\n`;
    writeFileSync(config, `${blocks.join("")}${all}`);
    const file = path.join(folder, "inventory.toml");
    const names = Object.keys(hosts).map((name) => `${name} = ""\n`);
    writeFileSync(file, inventory || `[groups.all.hosts]\n${names.join("")}`);
    return ["-i", file, "-F", config, "-o", "json"];
  };
  const pipe = (port: number | "%p" = "%p") => `'${process.execPath}' ${folder}/pipe.cjs ${port}`;

  test("that fails is told with its status and last words, and the other hosts go on", async () => {
    const options = setUp({
      good: `ProxyCommand ${pipe()}`,
      missing: "ProxyCommand no-such-program %h",
      wordy: "ProxyCommand sh -c 'echo one >&2; echo the way is closed >&2; exit 3'",
      silent: "ProxyCommand sh -c 'exit 4'",
      signalled: "ProxyCommand sh -c 'kill -KILL $$'",
    });
    const run = await mop(["ping", ...options]);
    expect(run.status, run.stderr).toBe(4);
    expect(run.events.filter(({ event }) => (event as string) === "ping")).toHaveLength(1);
    const reasons = Object.fromEntries(unreachableOf(run).map(({ host, reason }) => [host, reason]));
    expect(reasons.missing).toMatch(
      /^missing: its ProxyCommand \(no-such-program 127\.0\.0\.1\) ended with status 12[67]: .*no-such-program/,
    );
    expect(reasons.wordy).toMatch(/^wordy: its ProxyCommand \(.*\) ended with status 3: the way is closed$/);
    expect(reasons.silent).toBe("silent: its ProxyCommand (sh -c 'exit 4') ended with status 4");
    expect(reasons.signalled).toBe(
      "signalled: its ProxyCommand (sh -c 'kill -KILL $$') was ended by SIGKILL",
    );
  });

  test("ends with its children when the run does, also one that doesn't want to", async () => {
    const script = path.join(folder, "stubborn.sh");
    const pids = path.join(folder, "pids");
    writeFileSync(
      script,
      `trap '' HUP TERM\nexec 3<&0\n'${process.execPath}' ${folder}/pipe.cjs "$1" <&3 & echo $! >> ${pids}\necho $$ >> ${pids}\nwait\nsleep 60\n`,
    );
    const options = setUp({ stubborn: `ProxyCommand sh ${script} %p` });
    const run = await mop(["run", ...options, "--", "echo here"]);
    expect(run.status, run.stdout + run.stderr).toBe(0);
    const all = readFileSync(pids, "utf8").trim().split("\n").map(Number);
    for (const pid of all) left.add(pid);
    expect(all.length).toBeGreaterThanOrEqual(2);
    // Whoever inherits them buries them in a moment
    await vi.waitFor(() => expect(all.filter(alive)).toEqual([]), 3000);
  });

  test("that dies in mid-run makes its host unreachable, and mop that is killed leaves nothing behind", async () => {
    const pids = path.join(folder, "dying");
    const options = setUp({ dying: `ProxyCommand sh -c 'echo $$ > ${pids}; exec '"${pipe()}"` });
    let said = "";
    const { child, done } = startMop(["run", ...options, "--", "echo here; sleep 30"], {
      onEvent(event) {
        if (event.event === "output") said += event.text;
      },
    });
    // The controller has heard of it: a login whose answer was lost with its connection is made once more
    await until("the command's word", () => said === "here\n");
    process.kill(Number(readFileSync(pids, "utf8")), "SIGKILL");
    const run = await done;
    expect(run.status).toBe(4);
    expect(unreachableOf(run)[0]?.host).toBe("dying");
    expect(child.exitCode).toBe(4);

    rmSync(pids);
    const again = startMop(["run", ...options, "--", "sleep 30"]);
    await vi.waitFor(() => expect(existsSync(pids) && readFileSync(pids, "utf8")).toMatch(/\d\n/), 10_000);
    const second = Number(readFileSync(pids, "utf8"));
    left.add(second);
    again.child.kill("SIGKILL");
    await again.done;
    await vi.waitFor(() => expect(alive(second)).toBe(false), 5000);
  });

  test("counts where inventory and --via are silent, and for the first host of a chain", async () => {
    const options = setUp(
      {
        b1: `ProxyCommand ${pipe()}`,
        b2: "ProxyCommand false",
        l1: "ProxyCommand false",
        l2: "ProxyCommand false",
      },
      '[hosts.l1.vars]\nmop_via = "b1,b2"\n[hosts.l2.vars]\nmop_via = ""\n[hosts.b1.vars]\nmop_hop = "jump"\n',
    );
    const run = await mop(["ping", "--limit-hosts", "l1,l2", ...options]);
    expect(run.status, run.stdout + run.stderr).toBe(0);
  });

  test("with ProxyUseFdpass, and an interface to bind to, are refused before anything is contacted", async () => {
    const passed = await mop(["ping", ...setUp({ fd: "ProxyCommand false\nProxyUseFdpass yes" })]);
    expect(passed.status).toBe(1);
    expect(passed.stderr).toMatch(
      /^mop: ssh's configuration reaches fd by ProxyUseFdpass, .* can be used\n$/,
    );
    const bound = await mop(["ping", ...setUp({ wg: "BindInterface lo" })]);
    expect(bound.status).toBe(1);
    expect(bound.stderr).toMatch(
      /^mop: ssh's configuration reaches wg by BindInterface lo, .* can be used\n$/,
    );
  });

  test("is run for eight hosts at once, since all may pass one server that drops the tenth at its login", async () => {
    const log = path.join(folder, "starts");
    // Other servers each for all that is known of them: it is the command alone that they share
    const hosts = Array.from({ length: 18 }, (_, index) => [
      `far${index}`,
      `Port ${2000 + index}\nHostKeyAlias [127.0.0.1]:${server.port}`,
    ]);
    const command = `sh -c 'echo + >> ${log}; sleep 0.5; echo - >> ${log}; exec "$@"' - ${pipe(server.port)}`;
    const options = setUp({ "far*": `ProxyCommand ${command}`, ...Object.fromEntries(hosts) });
    const inventory = hosts.map(([name]) => `${name} = ""\n`).join("");
    writeFileSync(path.join(folder, "inventory.toml"), `[groups.all.hosts]\n${inventory}`);
    const run = await mop(["ping", ...options]);
    expect(run.status, run.stdout).toBe(0);
    let now = 0;
    const running = readFileSync(log, "utf8")
      .trim()
      .split("\n")
      .map((sign) => (now += sign === "+" ? 1 : -1));
    expect(running).toHaveLength(2 * hosts.length);
    expect(Math.max(...running)).toBeLessThanOrEqual(8);
    expect(Math.max(...running)).toBeGreaterThan(4);
  });

  test("is told by mop inventory and mop doctor, and passed by mop trust", async () => {
    const options = setUp({ proxied: `ProxyCommand ${pipe()}` });
    const listed = await mop(["inventory", ...options]);
    expect(JSON.parse(listed.stdout).route).toEqual([
      expect.objectContaining({
        name: "proxied",
        proxyCommand: expect.stringContaining(`pipe.cjs ${server.port}`),
      }),
    ]);
    const doctor = await mop(["doctor", "proxied", ...options]);
    expect(doctor.status, doctor.stdout).toBe(0);
    expect(doctor.stdout).toMatch(/its ProxyCommand \(.*pipe\.cjs \d+\) reaches 127\.0\.0\.1:\d+/);
    const known = path.join(folder, "trusted");
    const trusted = await mop(["trust", "proxied", "--yes", "--known-hosts", known, ...options]);
    expect(trusted.status, trusted.stdout + trusted.stderr).toBe(0);
    expect(readFileSync(known, "utf8")).toContain(server.hostKeys[0]);
  });
});

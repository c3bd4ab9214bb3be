import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readdirSync, rmdirSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLab, type Lab } from "../../support/lab.js";
import { built, mop, ROOT, startMop, summaryOf } from "../../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../../support/policies.js";

const MAIN = path.join(ROOT, "dist/cli/main.js");

/** What the program does with its own stdout, stderr and signals. */
describe.skipIf(!built)("the command line as a process", () => {
  let lab: Lab;
  let policy: PolicyFolder;
  const hooks = `async beforeContact(host) {
    console.log("hook of", host.name);
    process.stdout.write("and this\\n");
  }`;
  beforeAll(async () => {
    lab = await createLab({ leaves: 1 });
    policy = policyFolder(
      rolePolicy("await shell('exit 3', { ignoreErrors: true }); await echo('here');", hooks),
    );
  });
  afterAll(async () => {
    await lab.close();
    policy.remove();
  });

  /** A run whose stdout, or stderr too, is `out`. */
  const runWith = async (
    out: "pipe" | number,
    read: (child: ReturnType<typeof spawn>) => void,
    ...args: string[]
  ) => {
    const child = spawn(process.execPath, [MAIN, "push", policy.policy, ...lab.options, ...args], {
      stdio: ["ignore", out, "pipe"],
    });
    let stderr = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    read(child);
    const [status] = (await once(child, "close")) as [number | null];
    return { status, stderr };
  };

  test.each([
    [
      "waits for ever",
      "await new Promise(() => {});",
      /^mop: nothing is left that could go on: .*top of the policy or in a hook\n$/,
    ],
    ["ends the program", "process.exit(0);", /^mop: .* ended from within, with status 0: .*process\.exit\n$/],
    [
      "rejects where nobody waits",
      `Promise.reject(new Error("no token")); await new Promise((go) => setTimeout(go, 50));`,
      /^mop: the policy threw where nothing waits for it: no token\n$/,
    ],
  ])("a policy whose top %s is told in one sentence, with status 1", async (_what, top, sentence) => {
    const folder = policyFolder(`${rolePolicy("")}\n${top}\n`);
    const TMPDIR = mkdtempSync(path.join(os.tmpdir(), "mop-left-"));
    const run = await mop(["validate", folder.policy, ...lab.options, "--no-type-check"], {
      env: { TMPDIR },
    });
    folder.remove();
    expect(readdirSync(TMPDIR)).toEqual([]);
    rmdirSync(TMPDIR);
    expect(run.stderr).toMatch(sentence);
    expect(run.status).toBe(1);
    expect(run.stdout).toBe("");
  });

  test("a working folder that was removed is told in one sentence", async () => {
    const gone = mkdtempSync(path.join(os.tmpdir(), "mop-gone-"));
    // A shell stands in it until it is gone.
    const script = `rmdir "$PWD" && exec "$0" "$1" validate`;
    const child = spawn("/bin/sh", ["-c", script, process.execPath, MAIN], {
      cwd: gone,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const [status] = (await once(child, "close")) as [number | null];
    expect(status).toBe(1);
    expect(stderr).toBe("mop: the working folder is gone or may not be read; change to another one\n");
  });

  test("with --output json nothing else is on stdout, whatever hooks print", async () => {
    const run = await mop(["push", policy.policy, ...lab.options, "-o", "json"]);
    expect(run.status, run.stderr).toBe(0);
    const lines = run.stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(run.events.length);
    expect(run.stderr).toContain("hook of l1");
    expect(run.stderr).toContain("and this");
  });

  test("events name their fields in the order of the interface; an ignored failure is told apart", async () => {
    const run = await mop(["push", policy.policy, ...lab.options, "-o", "json"]);
    const output = run.events.find(({ event }) => event === "output");
    expect(Object.keys(output ?? {})).toEqual(["event", "host", "role", "stream", "text"]);
    expect(run.events.find(({ event }) => event === "resource")).toMatchObject({
      status: "failed",
      ignored: true,
    });
    expect(summaryOf(run).hosts.l1).toEqual({
      ok: 1,
      changed: 0,
      failed: 0,
      skipped: 0,
      ignored: 1,
      unreachable: false,
    });
  });

  test("a reader of stdout that goes away ends nothing on the hosts and costs no stack trace", async () => {
    const { status, stderr } = await runWith("pipe", (child) => child.stdout?.destroy());
    expect(status, stderr).toBe(0);
    expect(stderr).toBe("");
  });

  test("nor does a reader of stderr", async () => {
    const { status } = await runWith(
      "pipe",
      (child) => {
        child.stdout?.resume();
        child.stderr?.destroy();
      },
      "-o",
      "json",
    );
    expect(status).toBe(0);
  });

  test.skipIf(process.platform !== "linux")("a stdout that is full is told in one sentence", async () => {
    const { status, stderr } = await runWith(openSync("/dev/full", "w"), () => {}, "-o", "json");
    expect(status, stderr).toBe(0);
    expect(stderr.match(/stdout can't be written any more: .*no space left/g)).toHaveLength(1);
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    test(`${signal} ends the run on the host, with status 130`, async () => {
      const slow = policyFolder(rolePolicy("await echo('started'); await shell('sleep 60');"));
      const run = startMop(["push", slow.policy, ...lab.options, "-o", "json"], {
        onEvent: (event) => {
          if (event.event === "output") run.child.kill(signal);
        },
      });
      const ended = await run.done;
      slow.remove();
      expect(ended.status, ended.stderr).toBe(130);
      expect(ended.ms).toBeLessThan(20_000);
      expect(summaryOf(ended).hosts.l1).toMatchObject({ failed: 1, unreachable: false });
    });

  test("a run on a dozen hosts is told in a few lines, and nothing on stderr", async () => {
    const many = await createLab({ leaves: 12 });
    const shop = policyFolder(rolePolicy("await echo('ready'); await shell('exit 7');"));
    const run = await mop(["push", shop.policy, ...many.options]);
    shop.remove();
    await many.close();
    expect(run.status).toBe(2);
    expect(run.stderr).toBe("");
    expect(run.stdout.match(/exit 7/g)?.length).toBeLessThanOrEqual(2);
    expect(run.stdout).toMatch(/ {3}12 hosts {2}1 ok .* 1 failed .* l1, l2, .*, l12\n/);
    expect(run.stdout).toMatch(/ b2 > 12 hosts: /);
    expect(run.stdout.split("\n").length).toBeLessThan(16);
  });

  test("-K without a terminal is one sentence, and nothing is contacted", async () => {
    const run = await mop(["push", policy.policy, ...lab.options, "-b", "-K"]);
    expect(run.status).toBe(1);
    expect(run.stderr).toBe("mop: --ask-become-pass asks on a terminal, and there is none\n");
  });

  for (const option of ["--limit-hosts", "--limit-groups", "--tags"])
    test(`${option} with nothing in it is refused: a variable that was not set must not mean every host`, async () => {
      const run = await mop(["push", policy.policy, ...lab.options, option, " , "]);
      expect(run.status).toBe(1);
      expect(run.stderr).toContain(option);
      expect(run.stderr).toMatch(/it is empty; leave the option out for all/);
      expect(run.stderr).not.toContain("hook of");
    });

  test("-k without a terminal is one sentence", async () => {
    const run = await mop(["push", policy.policy, ...lab.options, "-k"]);
    expect(run.status).toBe(1);
    expect(run.stderr).toBe("mop: --ask-pass asks on a terminal, and there is none\n");
  });

  test("what is wrong with the command line is told as everything else is", async () => {
    const run = await mop(["push", "--bogus"]);
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/^mop: unknown option '--bogus'/);
  });

  test.each([
    [["help", "pish"], /^mop: unknown command 'pish' \(did you mean push\?\); --help tells all options\n$/],
    [
      ["trust", ","],
      /^mop: command-argument value ',' is invalid for argument 'hosts'; it names no host; --help/,
    ],
  ])("%j is told what is wrong in one sentence", async (args, sentence) => {
    const run = await mop(args);
    expect(run.stderr).toMatch(sentence);
    expect(run.status).toBe(1);
  });
});

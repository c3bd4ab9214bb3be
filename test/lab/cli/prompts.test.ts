import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../support/alive.js";
import { createLab, type Lab } from "../../support/lab.js";
import { built } from "../../support/mop.js";
import { type Answer, answering, hasTerminal, onTerminal } from "../../support/terminal.js";

/** Runs beside the lab, whose hosts live in this process. */
const finished = async (program: string, args: readonly string[], env: NodeJS.ProcessEnv) => {
  const child = spawn(program, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [status] = (await once(child, "close")) as [number | null];
  return { status, stderr };
};
/** And ssh-keygen, which comes with it */
const hasSsh = spawnSync("ssh", ["-V"]).error === undefined;

describe.skipIf(!built || !hasTerminal)("questions on a terminal (needs util-linux's script)", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await createLab({ leaves: 1 });
  });
  afterAll(() => lab.close());

  test("-k asks for a password, which doesn't show", async () => {
    const { screen, status } = await answering("Login password:", "s3cr3t\r", ["ping", "-k", ...lab.options]);
    expect(status, screen).toBe(0);
    expect(screen).not.toContain("s3cr3t");
    expect(screen).toMatch(/ {2}l1 {2}b1 .* ms/);
  });

  test("whoever types as soon as the question stands there shows nothing: the terminal echoes no key by then", async () => {
    // In the very write of the question
    const looking = path.join(lab.folder, "looking.cjs");
    const seen = path.join(lab.folder, "stty");
    const look = `const { execFileSync } = require("child_process"), { write } = process.stderr;
process.stderr.write = function (text, ...rest) {
  const stdio = ["inherit", "pipe", "ignore"];
  if (/Login password:/.test(text)) require("fs").writeFileSync(${JSON.stringify(seen)}, execFileSync("stty", ["-a"], { stdio }));
  return write.call(this, text, ...rest);
};`;
    writeFileSync(looking, look);
    const env = { NODE_OPTIONS: `--require ${looking}` };
    const args = ["ping", "-k", ...lab.options];
    const { screen, status } = await answering("Login password:", "s3cr3t\r", args, env);
    expect(status, screen).toBe(0);
    expect(readFileSync(seen, "utf8")).toMatch(/ -echo /);
  });

  test("Ctrl-C at the question is an interrupt, Ctrl-D is no password", async () => {
    const interrupted = await answering("Login password:", "\x03", ["ping", "-k", ...lab.options]);
    expect(interrupted.status, interrupted.screen).toBe(130);
    const ended = await answering("Login password:", "\x04", ["ping", "-k", ...lab.options]);
    expect(ended.status, ended.screen).toBe(1);
    expect(ended.screen).toContain("no password was given");
  });

  test.skipIf(!hasSsh)(
    "the passphrase of a key is asked for once for many hosts, and again where it was wrong",
    async () => {
      const many = await createLab({ bastions: 1, leaves: 4 });
      try {
        const locked = path.join(many.folder, "locked");
        copyFileSync(many.identityFile, locked);
        chmodSync(locked, 0o600);
        execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", "open sesame", "-f", locked]);
        const inventory = path.join(many.folder, "locked.toml");
        writeFileSync(inventory, many.inventoryToml.replaceAll(many.identityFile, locked));
        const question = `Passphrase for ${locked}: `;
        const { screen, status } = await onTerminal(
          [
            { question, keys: "close sesame\r" },
            { question: `Not accepted. ${question}`, keys: "open sesame\r" },
          ],
          ["ping", ...many.options, "-i", inventory],
        );
        expect(status, screen).toBe(0);
        expect(screen.split(question)).toHaveLength(3);
        for (const leaf of many.leaves) expect(screen).toMatch(new RegExp(` {2}${leaf} {2}b1 .* ms`));
      } finally {
        await many.close();
      }
    },
  );

  test("what other hosts say waits until a question is answered; passwords and codes are asked for one by one", async () => {
    const several = await createLab({
      bastions: 0,
      leaves: 2,
      hosts: { l2: { acceptsKey: false, password: "s3cr3t", code: "123456" } },
    });
    try {
      const marker = path.join(several.folder, "said");
      const said = () => until("the other host's command", () => existsSync(marker));
      const { screen, status } = await onTerminal(
        [
          { question: "deploy@l2: Password: ", keys: "s3cr3t\r", typed: () => said().then(() => sleep(300)) },
          { question: "deploy@l2: Code: ", keys: "123456\r" },
        ],
        ["run", ...several.options, "--", `echo hello; touch ${marker}`],
      );
      expect(status, screen).toBe(0);
      expect(screen).toMatch(/Password: \r\n(.*hello\r\n)?deploy@l2: Code: \r\n/);
      expect(screen.match(/l[12] \| hello/g)?.sort()).toEqual(["l1 | hello", "l2 | hello"]);
      expect(screen).not.toContain("s3cr3t");
    } finally {
      await several.close();
    }
  });

  test.skipIf(!hasSsh)(
    "what ssh asks under a configuration, mop asks: a passphrase, a password, questions",
    async () => {
      const asking = await createLab({
        // Of the first host known_hosts has its slow link only
        bastions: 1,
        leaves: 3,
        hosts: {
          l2: { acceptsKey: false, password: "s3cr3t" },
          l3: { acceptsKey: false, password: "s3cr3t", code: "123456" },
        },
      });
      try {
        const locked = path.join(asking.folder, "locked");
        copyFileSync(asking.identityFile, locked);
        chmodSync(locked, 0o600);
        execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", "open sesame", "-f", locked]);
        const own = {
          l1: `IdentityFile ${locked}`,
          l2: "PreferredAuthentications password",
          l3: "PreferredAuthentications keyboard-interactive,password",
        };
        const blocks = Object.entries(own).map(([name, lines]) => {
          const { address, port } = asking.host(name);
          return `Host ${name}\nHostName ${address}\nPort ${port}\n${lines}\n`;
        });
        const config = path.join(asking.folder, "asking");
        const all = `Host *\nUser ${asking.user}\nUserKnownHostsFile ${asking.knownHostsFile}\nNumberOfPasswordPrompts 1\nStrictHostKeyChecking yes\n`;
        writeFileSync(config, blocks.join("") + all);
        const inventory = path.join(asking.folder, "asking.toml");
        writeFileSync(inventory, '[groups.all.hosts]\nl1 = ""\nl2 = ""\nl3 = ""\n');

        const askpass = path.join(asking.folder, "askpass");
        const answer =
          'case "$1" in *assphrase*) echo open sesame;; *Code*) echo 123456;; *) echo s3cr3t;; esac';
        writeFileSync(askpass, `#!/bin/sh\n${answer}\n`, { mode: 0o755 });
        const env = { ...process.env, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: "force" };
        for (const name of Object.keys(own)) {
          const { status, stderr } = await finished("ssh", ["-n", "-F", config, name, "true"], env);
          expect(status, `${name}: ${stderr}`).toBe(0);
        }
        const questions: Readonly<Record<string, readonly Answer[]>> = {
          l1: [{ question: `Passphrase for ${locked}: `, keys: "open sesame\r" }],
          l2: [{ question: "deploy@l2: password: ", keys: "s3cr3t\r" }],
          l3: [
            { question: "deploy@l3: Password: ", keys: "s3cr3t\r" },
            { question: "deploy@l3: Code: ", keys: "123456\r" },
          ],
        };
        for (const [name, answers] of Object.entries(questions)) {
          const args = ["ping", "-i", inventory, "-F", config, "--limit-hosts", name];
          const { screen, status } = await onTerminal(answers, args);
          expect(status, screen).toBe(0);
        }
      } finally {
        await asking.close();
      }
    },
  );
});

import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../support/alive.js";
import { createLab, type Lab } from "../../support/lab.js";
import { built } from "../../support/mop.js";
import { answering, hasTerminal, onTerminal } from "../../support/terminal.js";

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

  test("Ctrl-C at the question is an interrupt, Ctrl-D is no password", async () => {
    const interrupted = await answering("Login password:", "\x03", ["ping", "-k", ...lab.options]);
    expect(interrupted.status, interrupted.screen).toBe(130);
    const ended = await answering("Login password:", "\x04", ["ping", "-k", ...lab.options]);
    expect(ended.status, ended.screen).toBe(1);
    expect(ended.screen).toContain("no password was given");
  });

  test("the passphrase of a key is asked for once for many hosts, and again where it was wrong", async () => {
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
  });

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
});

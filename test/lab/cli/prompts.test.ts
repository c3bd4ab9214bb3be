import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLab, type Lab } from "../../support/lab.js";
import { built, ROOT } from "../../support/mop.js";

const MAIN = path.join(ROOT, "dist/cli/main.js");
/** util-linux's `script` gives a command a terminal. */
const hasTerminal = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

describe.skipIf(!built || !hasTerminal)("questions on a terminal (needs util-linux's script)", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await createLab({ leaves: 1 });
  });
  afterAll(() => lab.close());

  /** Types `keys` when the question stands there; all that was on the terminal, and the exit status. */
  const answering = async (question: string, keys: string, ...args: string[]) => {
    const command = [process.execPath, MAIN, ...args].map(quoted).join(" ");
    const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
      stdio: ["pipe", "pipe", "ignore"],
      env: { ...process.env, NO_COLOR: "1" },
    });
    let screen = "";
    let asked = false;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      screen += text;
      if (asked || !screen.includes(question)) return;
      asked = true;
      // The terminal's own echo is off by then, as for whoever sees the question before answering it
      setTimeout(() => child.stdin.write(keys), 200);
    });
    const [status] = (await once(child, "close")) as [number | null];
    return { screen, status };
  };

  test("-k asks for a password, which doesn't show", async () => {
    const { screen, status } = await answering("Login password:", "s3cr3t\r", "ping", "-k", ...lab.options);
    expect(status, screen).toBe(0);
    expect(screen).not.toContain("s3cr3t");
    expect(screen).toMatch(/ {2}l1 {2}b1 .* ms/);
  });

  test("Ctrl-C at the question is an interrupt, Ctrl-D is no password", async () => {
    const interrupted = await answering("Login password:", "\x03", "ping", "-k", ...lab.options);
    expect(interrupted.status, interrupted.screen).toBe(130);
    const ended = await answering("Login password:", "\x04", "ping", "-k", ...lab.options);
    expect(ended.status, ended.screen).toBe(1);
    expect(ended.screen).toContain("no password was given");
  });
});

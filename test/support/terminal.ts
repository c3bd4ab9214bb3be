/** The command line on a terminal, with somebody who answers its questions. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { ROOT } from "./mop.js";

const MAIN = path.join(ROOT, "dist/cli/main.js");

/** util-linux's `script` gives a command a terminal. */
export const hasTerminal = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** What is typed when a question stands there; `typed` is awaited before. */
export interface Answer {
  readonly question: string;
  readonly keys: string;
  readonly typed?: () => Promise<unknown>;
}

/** Answers in order; all that was on the terminal, and the exit status. */
export async function onTerminal(
  answers: readonly Answer[],
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const command = [process.execPath, MAIN, ...args].map(quoted).join(" ");
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  let screen = "";
  let from = 0;
  const left = [...answers];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    screen += text;
    const at = left[0] ? screen.indexOf(left[0].question, from) : -1;
    if (at < 0) return;
    const { question, keys, typed } = left.shift()!;
    from = at + question.length;
    void Promise.resolve(typed?.()).then(() => child.stdin.write(keys));
  });
  const [status] = (await once(child, "close")) as [number | null];
  return { screen, status };
}

/** Types `keys` when the question stands there. */
export const answering = (
  question: string,
  keys: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
) => onTerminal([{ question, keys }], args, env);

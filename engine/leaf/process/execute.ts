import type { ExecOptions, ExecResult } from "../../vocabulary/types.js";
import { Refusal } from "../errors.js";
import type { Children } from "./children.js";
import { Collector } from "./collector.js";

/** What is read by programs is English and unwrapped, whatever the host's language is. */
const PLAIN_WORLD = { LC_ALL: "C", LANGUAGE: "C", LANG: "C" };
/** Where system programs lie, though a plain user's PATH may not say so. */
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin";

/** Runs a program for a type: `TypeContext.exec`. */
export async function execute(
  children: Pick<Children, "run">,
  signal: AbortSignal,
  program: string,
  args: readonly string[],
  { accept = [0], cwd, env, stdin }: ExecOptions = {},
): Promise<ExecResult> {
  const collected = { stdout: new Collector(), stderr: new Collector() };
  const exit = await children.run({
    file: program,
    args,
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...PLAIN_WORLD, PATH: `${process.env.PATH ?? ""}:${SYSTEM_PATH}`, ...env },
    ...(stdin === undefined ? {} : { stdin }),
    signal,
    onOutput: async (stream, text) => collected[stream].add(text),
  });
  const result = { rc: exit.rc, stdout: collected.stdout.text, stderr: collected.stderr.text };
  if (accept !== "any" && !accept.includes(exit.rc)) {
    const end = exit.signal ? `was ended by ${exit.signal}` : `ended with status ${exit.rc}`;
    throw new Refusal(withLastLine(`${program} ${end}`, result.stderr || result.stdout));
  }
  return result;
}

/** Characters of a command's last line */
const MAX_LINE = 300;

/** What a command says last is mostly why it failed. */
export function withLastLine(sentence: string, output: string): string {
  const line = output.trimEnd().split("\n").pop()?.trim() ?? "";
  return line === "" ? sentence : `${sentence}: ${beginning(line)}`;
}

/** A word that would be cut is left away: half a secret is not recognized as one any more. */
const beginning = (line: string): string =>
  line.length <= MAX_LINE ? line : `${line.slice(0, MAX_LINE).replace(/\S+$/, "")}...`;

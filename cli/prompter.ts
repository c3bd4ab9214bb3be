import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import type { Prompter } from "../transport/ssh/types.js";
import { escapeLine } from "./output/escape.js";
import { holdStreams } from "./output/streams.js";

/** Reads one line without showing it; undefined when the operator ended the input. */
export async function askSecret(question: string): Promise<string | undefined> {
  const { terminal, release } = holdStreams();
  const hidden = new Writable({ write: (_chunk, _encoding, done) => done() });
  // It takes the terminal's echo off before there is a question that somebody answers at once.
  const reader = createInterface({ input: process.stdin, output: hidden, terminal: true });
  terminal.write(question);
  return readLine(reader, terminal, true).finally(release);
}

/** Asks on the terminal for a yes; anything else, or no answer, is a no. */
export async function askYes(question: string): Promise<boolean> {
  const { terminal, release } = holdStreams();
  const reader = createInterface({ input: process.stdin, output: terminal, terminal: true });
  reader.setPrompt(question);
  reader.prompt();
  const answer = await readLine(reader, terminal, false).finally(release);
  return /^\s*y(es)?\s*$/i.test(answer ?? "");
}

/** `hidden`: the line's end didn't show either. */
async function readLine(
  reader: Interface,
  terminal: NodeJS.WriteStream,
  hidden: boolean,
): Promise<string | undefined> {
  let answered = false;
  try {
    return await new Promise<string | undefined>((resolve) => {
      reader.once("line", (line) => {
        answered = true;
        resolve(line);
      });
      const ended = () => resolve(undefined);
      reader.once("close", ended);
      // The terminal passes no Ctrl-C on while it is read key by key: whoever listens for it hears it before the answer.
      reader.once("SIGINT", () => {
        reader.off("close", ended).close();
        // A signal on its way keeps no process alive.
        const hold = setTimeout(ended, 1000);
        const heard = () => {
          clearTimeout(hold);
          ended();
        };
        if (process.listenerCount("SIGINT") > 0) process.once("SIGINT", heard);
        process.kill(process.pid, "SIGINT");
      });
    });
  } finally {
    if (hidden || !answered) terminal.write("\n");
    reader.close();
  }
}

/** Questions at a terminal, one at a time. */
export interface TerminalPrompter extends Prompter {
  /** Anything but a yes is a no */
  yes(question: string): Promise<boolean>;
}

/** Asks on the terminal, one question at a time, each secret once but for wrong ones; undefined where nobody sits at one. */
export function terminalPrompter(): TerminalPrompter | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const answers = new Map<string, Promise<string | undefined>>();
  let last: Promise<unknown> = Promise.resolve();
  const once = (key: string, question: string, again: boolean): Promise<string | undefined> => {
    let answer = again ? undefined : answers.get(key);
    if (!answer) {
      answer = last.then(() => askSecret(again ? `Not accepted. ${question}` : question));
      last = answer;
      answers.set(key, answer);
    }
    return answer;
  };
  return {
    yes(question) {
      const answer = last.then(() => askYes(question));
      last = answer;
      return answer;
    },
    passphrase: (keyFile, again = false) =>
      once(`key ${keyFile}`, `Passphrase for ${escapeLine(keyFile)}: `, again),
    password: (target, prompt, again = false) =>
      once(
        `password ${target.user}@${target.name} ${prompt}`,
        `${escapeLine(target.user)}@${escapeLine(target.name)}: ${escapeLine(prompt.trim() || "password:")} `,
        again,
      ),
  };
}

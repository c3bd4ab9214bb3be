import os from "node:os";

const GREETING = "hello";
export const started = process.pid;

/** What a test calls on a host. */
export function greet(name: string, times = 1): { text: string; platform: string } {
  return { text: `${GREETING} ${name}`.repeat(times), platform: os.platform() };
}

/** Statements of a program mention its functions; what completes a table belongs to it. */
const words: Record<string, string> = {};
words.yes = "oui";
export function translate(word: string): string | null {
  return words[word] ?? null;
}
if (process.env.NEVER_SET) await Promise.resolve([translate, "STAYS-HERE"]);

export const later = async (value: number | null): Promise<number | null> => value;

export const secret = "STAYS-HERE";

function hidden(): string {
  return secret;
}
export const table = { hidden };

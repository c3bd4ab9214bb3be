import os from "node:os";

const GREETING = "hello";
export const started = process.pid;

/** What a test calls on a host. */
export function greet(name: string, times = 1): { text: string; platform: string } {
  return { text: `${GREETING} ${name}`.repeat(times), platform: os.platform() };
}

export const later = async (value: number | null): Promise<number | null> => value;

export const secret = "STAYS-HERE";

function hidden(): string {
  return secret;
}
export const table = { hidden };

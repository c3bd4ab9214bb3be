#!/usr/bin/env node
import { tellEarlyEnd } from "./ended-early.js";
import { watchStreams } from "./output/streams.js";

watchStreams();
const atItsEnd = tellEarlyEnd();
process.exitCode = workingFolder() ? await main() : 1;
// What a command left behind is ended by it; nothing else may keep the terminal waiting.
await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
atItsEnd();
process.exit();

/** Packages that the program imports throw where there is none, as in a folder that was removed meanwhile. */
function workingFolder(): boolean {
  try {
    return process.cwd() !== "";
  } catch {
    process.stderr.write("mop: the working folder is gone or may not be read; change to another one\n");
    return false;
  }
}

async function main(): Promise<number> {
  const { runProgram } = await import("./program.js");
  return runProgram(process.argv.slice(2));
}

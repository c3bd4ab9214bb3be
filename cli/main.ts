#!/usr/bin/env node
import { watchStreams } from "./output/streams.js";
import { runProgram } from "./program.js";

watchStreams();
process.exitCode = await runProgram(process.argv.slice(2));
// What a command left behind is ended by it; nothing else may keep the terminal waiting.
await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
process.exit();

import { Writable } from "node:stream";

/** Takes stdout for frames alone: whatever else writes to it (console.log in a library, a worker) goes to stderr. */
export function claimStdout(): Writable {
  const { stdout } = process;
  Object.defineProperty(process, "stdout", { configurable: true, get: () => process.stderr });
  // A terminal has one stream for both
  if (stdout.isTTY)
    Object.defineProperty(process, "stderr", {
      configurable: true,
      value: new Writable({ write: (_chunk, _encoding, done) => done() }),
    });
  return stdout;
}

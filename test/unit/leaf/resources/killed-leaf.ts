import promises from "node:fs/promises";
import path from "node:path";
import { Run } from "./stage.js";

// Bundled and started as a process of its own: `file` with a SIGKILL at its so manyth system call on files.
const [folder, step, when, what] = process.argv.slice(2) as [string, string, string, string];
let count = 0;

function die(): never {
  process.kill(process.pid, "SIGKILL");
  // The signal comes at once; nothing more is done.
  for (;;);
}

/** Dies instead of the call, or half through it: of a write only half of the bytes get there. */
async function counted(name: string, call: (part: boolean) => Promise<unknown>): Promise<unknown> {
  if (++count !== Number(step)) return call(false);
  if (when === "half") await call(true).catch(() => undefined);
  process.stderr.write(`killed at ${name}\n`);
  die();
}

type Calls = Record<string, (...args: unknown[]) => Promise<unknown>>;

function patch(calls: Calls, names: readonly string[]): void {
  for (const name of names) {
    const real = calls[name]!;
    calls[name] = function (this: unknown, ...args: unknown[]) {
      return counted(name, (part) => {
        const [bytes, from, length] = args as [Uint8Array, number, number];
        if (part && name === "write") return real.call(this, bytes, from, Math.floor(length / 2));
        return real.call(this, ...args);
      });
    };
  }
}

async function main(): Promise<void> {
  const handle = await promises.open(folder);
  patch(Object.getPrototypeOf(handle) as Calls, ["write", "chown", "chmod", "utimes", "sync", "stat"]);
  await handle.close();
  patch(promises as unknown as Calls, ["open", "rename", "unlink", "link", "lstat", "access"]);
  const options = {
    content: "new content, not as long\n".repeat(20_000),
    mode: 0o640,
    backup: what === "backup",
    ...(what === "validate" ? { validate: "grep -q new %s" } : {}),
  };
  const { report } = await new Run().do("file", path.join(folder, "a"), options);
  if (report.status !== "changed") throw new Error(report.error ?? report.status);
}

main().catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});

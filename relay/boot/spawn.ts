import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { setTimeout as after } from "node:timers";
import { MopError } from "../../transport/errors.js";
import { joinStdio } from "./stdio.js";

/** Milliseconds that a command may live on once nobody reads it: what it runs ends by the end of its stdin. */
const END_MS = 3000;

/** A command that was started for its stdio. */
export interface Spawned {
  /** Its stdin and stdout. Broken with BOOT_FAILED where the program can't be run */
  readonly pipe: Duplex;
  /** Resolves when it has ended, however. Never rejects. */
  readonly exit: Promise<void>;
  onStderr(take: (chunk: Buffer) => void): void;
  kill(): void;
}

const running = new Set<ChildProcessWithoutNullStreams>();

/** In groups of their own, so that wrappers end with what they run. */
function signal({ pid }: ChildProcessWithoutNullStreams, name: NodeJS.Signals): void {
  try {
    process.kill(-pid!, name);
  } catch {
    // Ended in this moment
  }
}

/** This process ends: what it started is told, and has its stdin's end besides. */
export function endSpawned(): void {
  for (const child of running) signal(child, "SIGTERM");
}

/** Starts a command, no shell between. It is killed when it doesn't end once its pipe is closed. */
export function spawnPiped([program = "", ...args]: readonly string[]): Spawned {
  const child = spawn(program, args, { stdio: "pipe", detached: true });
  const pipe = joinStdio(child.stdout, child.stdin);
  const exit = new Promise<void>((resolve) => {
    const ended = () => {
      // What a wrapper that was killed leaves behind
      if (running.delete(child)) signal(child, "SIGTERM");
      resolve();
    };
    child.on("exit", ended);
    child.on("error", ({ code, message }: NodeJS.ErrnoException) => {
      // EACCES also where it is nowhere, and a folder of PATH is shut
      const why =
        code === "ENOENT"
          ? "there is no such program"
          : code === "EACCES"
            ? "there is no such program that may be run"
            : message;
      pipe.destroy(new MopError("BOOT_FAILED", `${program} can't be run: ${why}`));
      ended();
    });
  });
  if (child.pid) running.add(child);
  const kill = () => {
    if (running.has(child)) signal(child, "SIGKILL");
  };
  pipe.on("close", () => {
    const timer = after(kill, END_MS);
    void exit.then(() => clearTimeout(timer));
  });
  return { pipe, exit, kill, onStderr: (take) => child.stderr.on("data", take) };
}

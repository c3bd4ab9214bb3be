import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { afterReading } from "../../transport/after-reading.js";
import { MopError } from "../../transport/errors.js";
import { plain } from "../../transport/ssh/plain.js";
import type { Target } from "../../transport/ssh/types.js";
import { joinStdio } from "../boot/stdio.js";
import type { Way } from "./ways.js";

/** Milliseconds that a command has to end by itself once its pipe is closed and it was told. */
const END_MS = 1000;
/** Milliseconds in which a command says why the pipe has ended. */
const SAYS_MS = 500;
/** Characters that are kept of what it says */
const KEPT = 4096;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * A command's stdin and stdout as the pipe to a host's sshd (ProxyCommand): run by the operator's shell, as OpenSSH does.
 * It is told to end, with what it started, when the pipe is closed.
 */
export function openProxy(target: Target & { readonly proxyCommand: string }): Way {
  const shell = process.env.SHELL || "/bin/sh";
  // A group of its own, so that all of it can be ended; an interrupt at the terminal is ours to pass on
  const child: Child = spawn(shell, ["-c", `exec ${target.proxyCommand}`], { stdio: "pipe", detached: true });
  const pipe = joinStdio(child.stdout, child.stdin);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-KEPT);
  });
  /** It ended the pipe, not we */
  let gaveUp = false;
  child.stdout.once("end", () => {
    gaveUp = !pipe.writableEnded && !pipe.destroyed;
  });
  const over = new Promise<string>((resolve) => {
    child.once("error", ({ message }) => {
      gaveUp = true;
      pipe.destroy();
      resolve(`can't be run: ${shell}: ${message}`);
    });
    child.once("close", (status, signal) =>
      resolve(signal === null ? `ended with status ${status}` : `was ended by ${signal}`),
    );
  });
  running.add(child);
  if (running.size === 1) process.on("exit", killAll);
  const gone = new Promise<void>((resolve) => {
    // What ended by itself is about to say how
    const told = () => (gaveUp ? within(over, SAYS_MS) : undefined);
    pipe.once("close", async () => {
      await told();
      await endGroup(child);
      resolve();
    });
  });
  return {
    pipe,
    channel: undefined,
    gone,
    bytes: () => counted(child),
    async failure() {
      if (!gaveUp) return undefined;
      const how = await within(over, SAYS_MS);
      const why = plain(said.trimEnd().split("\n").at(-1) ?? "");
      if (how === undefined || (how === CLEANLY && why === "")) return undefined;
      const text = `${target.name}: its ProxyCommand (${plain(target.proxyCommand)}) ${how}${why === "" ? "" : `: ${why}`}`;
      // Who ends well may have been dropped by a server that too many log in to: worth another try
      return new MopError(how === CLEANLY ? "SSH_DISCONNECTED" : "CONNECT_UNREACHABLE", text);
    },
  };
}

const CLEANLY = "ended with status 0";

function counted({ stdin, stdout }: Child): { sent: number; received: number } {
  const { bytesWritten = 0 } = stdin as { bytesWritten?: number };
  const { bytesRead = 0 } = stdout as { bytesRead?: number };
  return { sent: bytesWritten, received: bytesRead };
}

const running = new Set<Child>();

/** This process ends before it has waited for them. */
function killAll(): void {
  for (const child of running) signalGroup(child, "SIGKILL");
}

/** Tells the command and what it started that nobody is there any more; kills what doesn't listen. */
async function endGroup(child: Child): Promise<void> {
  signalGroup(child, "SIGHUP");
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const exit = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    await within(exit, END_MS);
  }
  signalGroup(child, "SIGKILL");
  running.delete(child);
  if (running.size === 0) process.off("exit", killAll);
}

function signalGroup({ pid }: Child, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // Nothing of it is left
  }
}

/** The value of a promise if it is there in time. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let inTime = () => {};
  const late = new Promise<undefined>((resolve) => {
    // A process's end is told a turn behind what it said last
    inTime = afterReading(ms, () => setImmediate(resolve, undefined));
  });
  return Promise.race([promise, late]).finally(inTime);
}

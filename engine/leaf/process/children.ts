import { type ChildProcess, spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { WingHost } from "../../../relay/wing.js";
import { abortReason, refuse, throwIfAborted } from "../errors.js";
import { descendants, killTree, type Process, signalAll, signalGroup } from "./tree.js";

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  /** Aborted: its process group and all that descends from it are ended, and `run` rejects with the reason */
  readonly signal: AbortSignal;
  /** Awaited, so that a slow reader slows the command and not the leaf's memory */
  onOutput(stream: "stdout" | "stderr", text: string): Promise<void>;
}

export interface Exit {
  /** -1 when a signal ended it */
  readonly rc: number;
  readonly signal: NodeJS.Signals | null;
}

/** From SIGTERM to SIGKILL, in ms */
const GRACE = 500;
/** How long output is read after the command ended, while a background process holds the pipe */
const LINGER = 300;

/**
 * Runs "$0" with its arguments in a process group of its own, watched by a process of the same group that reads from
 * fd 3, a pipe that the leaf holds: its end without a word means that the leaf died, by SIGKILL too, and takes the
 * group along. A line means that the command ended by itself, and whatever it left in the background may live. That
 * process is no child of the command's: some wait for any child that they have (openrc-run), and would wait for ever.
 */
const SUPERVISOR =
  '((read -r x <&3 || kill -KILL 0) </dev/null >/dev/null 2>&1 &); exec 3<&-; exec "$0" "$@"';

/** The processes that a leaf starts; none of them outlives it by accident. */
export class Children {
  readonly #host: Pick<WingHost, "childStarted" | "childEnded">;
  readonly #groups = new Set<number>();

  constructor(host: Pick<WingHost, "childStarted" | "childEnded">) {
    this.#host = host;
  }

  /** Ends every group at once. */
  killAll(): void {
    for (const pid of this.#groups) killTree(pid);
  }

  /** Resolves when the command ended; rejects with a Refusal when it can't be started. */
  async run(command: Command): Promise<Exit> {
    throwIfAborted(command.signal);
    const child = spawn("/bin/sh", ["-c", SUPERVISOR, command.file, ...command.args], {
      detached: true,
      stdio: ["pipe", "pipe", "pipe", "pipe"],
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
      env: { ...process.env, ...command.env },
    });
    const { pid } = child;
    if (pid === undefined) throw await startFailure(child, command);
    this.#groups.add(pid);
    this.#host.childStarted(pid);
    const lifeline = child.stdio[3] as Writable;
    lifeline.on("error", ignore);
    const kill = { timer: undefined as NodeJS.Timeout | undefined, tree: [] as Process[] };
    const finish = () => killTree(pid, kill.tree);
    const abort = () => {
      // Looked for before the first of them dies: whoever loses its parent is not found any more.
      kill.tree = descendants(pid);
      signalGroup(pid, "SIGTERM");
      signalAll(kill.tree, "SIGTERM");
      kill.timer = setTimeout(finish, GRACE);
    };
    command.signal.addEventListener("abort", abort, { once: true });
    try {
      feed(child, command.stdin);
      const exit = await finished(child, command);
      if (command.signal.aborted) {
        finish();
        throw abortReason(command.signal);
      }
      return exit;
    } catch (error) {
      finish();
      throw error;
    } finally {
      command.signal.removeEventListener("abort", abort);
      clearTimeout(kill.timer);
      lifeline.end("\n");
      this.#groups.delete(pid);
      this.#host.childEnded(pid);
    }
  }
}

function startFailure(child: ChildProcess, { cwd }: Command): Promise<Error> {
  const place = cwd === undefined ? "" : ` in the folder ${cwd}`;
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(refuse(`the command can't be started${place}`, error)));
  });
}

/** A command may end without reading its input. */
function feed(child: ChildProcess, stdin: string | Uint8Array | undefined): void {
  child.stdin?.on("error", ignore);
  child.stdin?.end(stdin);
}

async function finished(child: ChildProcess, command: Command): Promise<Exit> {
  const exit = new Promise<Exit>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve({ rc: code ?? -1, signal }));
  });
  const reader = { busy: 0 };
  const outputs = (["stdout", "stderr"] as const).map((stream) => pump(child, stream, command, reader));
  const read = Promise.all(outputs);
  const ended = await Promise.race([exit, read.then(() => exit)]);
  let timer: NodeJS.Timeout | undefined;
  const idle = new Promise<void>((resolve) => {
    let heard = false;
    // A slow reader is no sign that nothing more comes.
    const look = () => (heard || reader.busy > 0 ? timer?.refresh() : resolve());
    // Behind the reading of what is there by then: a leaf that was held up has its timers run first.
    timer = setTimeout(() => {
      heard = false;
      setImmediate(look);
    }, LINGER);
    // As long as more comes, it is read.
    const again = () => {
      heard = true;
      timer?.refresh();
    };
    child.stdout?.on("data", again);
    child.stderr?.on("data", again);
  });
  await Promise.race([read, idle]);
  clearTimeout(timer);
  child.stdout?.destroy();
  child.stderr?.destroy();
  await read;
  return ended;
}

async function pump(
  child: ChildProcess,
  stream: "stdout" | "stderr",
  command: Command,
  reader: { busy: number },
): Promise<void> {
  const source = child[stream];
  if (!source) return;
  const decoder = new StringDecoder("utf8");
  const pass = async (text: string) => {
    if (text === "") return;
    reader.busy++;
    await command.onOutput(stream, text);
    reader.busy--;
  };
  try {
    for await (const chunk of source) await pass(decoder.write(chunk as Buffer));
  } catch (error) {
    // Destroyed above, when something in the background still holds the pipe.
    if ((error as NodeJS.ErrnoException).code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
  }
  await pass(decoder.end());
}

const ignore = (): void => undefined;

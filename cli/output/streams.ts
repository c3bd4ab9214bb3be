import { escapeLine } from "./escape.js";

/**
 * For the whole life of the process: a reader that went away (`mop ... | head`) has seen what it wanted and ends
 * nothing on the hosts; other faults of stdout are told once.
 */
export function watchStreams(): void {
  let told = false;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE" || told) return;
    told = true;
    process.stderr.write(`mop: stdout can't be written any more: ${escapeLine(error.message)}\n`);
  });
  process.stderr.on("error", () => {});
}

export interface ReservedStdout {
  write(text: string): void;
  /** stdout is everybody's again. */
  release(): void;
}

/** Keeps stdout for one writer: what policies and hooks print (`console.log`) goes to stderr meanwhile. */
export function reserveStdout(): ReservedStdout {
  const { stdout, stderr } = process;
  const own = stdout.write;
  stdout.write = stderr.write.bind(stderr) as typeof stdout.write;
  return {
    write: (text) => void own.call(stdout, text),
    release() {
      stdout.write = own;
    },
  };
}

export interface HeldStreams {
  /** A stream like stderr that is not held: for the question itself */
  readonly terminal: NodeJS.WriteStream;
  /** Writes what was held back, in its order. */
  release(): void;
}

/** Holds back what others write to stdout and stderr: a question stands still on the terminal until it is answered. */
export function holdStreams(): HeldStreams {
  const held: (() => void)[] = [];
  const hold = (stream: NodeJS.WriteStream) => {
    const own = stream.write;
    const write = (...args: Parameters<typeof own>): boolean => {
      held.push(() => own.apply(stream, args));
      return true;
    };
    stream.write = write as typeof own;
    return own;
  };
  const { stdout, stderr } = process;
  const ownStdout = hold(stdout);
  const ownStderr = hold(stderr);
  const terminal: NodeJS.WriteStream = Object.create(stderr);
  terminal.write = ownStderr.bind(stderr) as typeof ownStderr;
  return {
    terminal,
    release() {
      stdout.write = ownStdout;
      stderr.write = ownStderr;
      for (const write of held.splice(0)) write();
    },
  };
}

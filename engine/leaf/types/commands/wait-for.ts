import net from "node:net";
import type { WaitForOptions } from "../../../vocabulary/resources.js";
import { Refusal, throwIfAborted } from "../../errors.js";
import { ask } from "../../files/http.js";
import { either, oneOf, rules } from "../../options.js";
import { pause, withDeadline } from "../../process/deadline.js";
import { execute } from "../../process/execute.js";
import type { ResourceType, TypeContext } from "../../type.js";

/** Seconds until it is given up */
const TIMEOUT = 300;
/** Bytes of an answer that are looked through */
const MAX_ANSWER = 1024 * 1024;
const TARGETS = ["port", "file", "command", "url"] as const;

/** Something that takes its time. */
export const waitFor: ResourceType<WaitForOptions> = {
  name: "waitFor",
  options: {
    port: rules.port,
    address: rules.text,
    file: rules.path,
    command: rules.text,
    url: rules.url,
    status: rules.count,
    contains: either(rules.text, rules.pattern),
    state: oneOf("present", "absent"),
    interval: rules.seconds,
  },
  async plan(context, name, options) {
    const given = TARGETS.filter((target) => options[target] !== undefined);
    if (given.length !== 1) throw new Refusal(`it needs one of ${TARGETS.join(", ")}: what it waits for`);
    const target = given[0]!;
    misplaced(options, "address", target === "port");
    misplaced(options, "status", target === "url");
    misplaced(options, "contains", target !== "port");
    let failure: string | undefined;
    return {
      actions: [],
      // What it waits for was not started under --check.
      readOnly: !context.check,
      failure: () => failure,
      async apply() {
        failure = await waited(context, name, options, target);
        return [];
      },
    };
  },
};

function misplaced(options: WaitForOptions, option: keyof WaitForOptions, fits: boolean): void {
  if (options[option] !== undefined && !fits)
    throw new Refusal(`the option "${option}" does not go with what it waits for`);
}

/** Undefined: it came about. Else why not. */
async function waited(
  context: TypeContext,
  name: string,
  options: WaitForOptions,
  target: (typeof TARGETS)[number],
): Promise<string | undefined> {
  const { state = "present", timeout = TIMEOUT, interval = 1 } = options;
  // A little before the resource's own deadline, which has less to say.
  const end = Date.now() + timeout * 1000 - Math.min(100, timeout * 100);
  for (let why: string | undefined; ; ) {
    // The last look may end behind that deadline, by which time what was seen before says more than the deadline.
    const isOver = () => why !== undefined && Date.now() >= end;
    if (!isOver()) throwIfAborted(context.signal);
    const left = end - Date.now();
    const seen = await look(context, options, target, Math.max(1, left)).catch((error: unknown) => {
      if (isOver()) return NOT_ENDED;
      throw error;
    });
    if (seen !== NOT_ENDED && (seen === undefined) === (state === "present")) return undefined;
    // A last look that was cut short says less than the one before it.
    if (why === undefined || seen !== NOT_ENDED) why = seen ?? "it is still so";
    if (Date.now() + interval * 1000 >= end)
      return `${name}: that did not come about in ${timeout} s; ${why}`;
    await pause(interval * 1000, context.signal);
  }
}

const NOT_ENDED = "the command did not end";

/** Undefined: it is so. Else why not. */
async function look(
  context: TypeContext,
  options: WaitForOptions,
  target: (typeof TARGETS)[number],
  left: number,
): Promise<string | undefined> {
  switch (target) {
    case "port":
      return listens(options.address ?? "127.0.0.1", options.port!, Math.min(left, 10_000));
    case "file": {
      const { entry } = await context.files.resolve(options.file!, true);
      if (!entry) return `${options.file} does not exist`;
      return options.contains === undefined
        ? undefined
        : lacks(options, (await context.read(options.file!)) ?? "", options.file!);
    }
    case "command": {
      const args = ["-c", options.command!];
      const run = (signal: AbortSignal) =>
        execute(context.children, signal, "/bin/sh", args, { accept: "any" });
      const ended = await withDeadline(context.signal, left / 1000, run).catch((error: unknown) => {
        throwIfAborted(context.signal);
        if (error instanceof Refusal) return undefined;
        throw error;
      });
      if (!ended) return NOT_ENDED;
      const { rc, stdout } = ended;
      return rc === 0 ? lacks(options, stdout, "its output") : `the command ended with status ${rc}`;
    }
    default:
      return answers(context, options, Math.min(left, 10_000));
  }
}

const lacks = ({ contains }: WaitForOptions, text: string, what: string): string | undefined => {
  if (contains === undefined) return undefined;
  const found = typeof contains === "string" ? text.includes(contains) : text.search(contains) >= 0;
  return found ? undefined : `${what} does not contain ${String(contains)}`;
};

function listens(host: string, port: number, patience: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    const end = (why?: string) => {
      socket.destroy();
      resolve(why);
    };
    socket.setTimeout(patience, () => end(`${host}:${port} does not answer`));
    socket.once("connect", () => end());
    socket.once("error", () => end(`nobody listens on ${host}:${port}`));
  });
}

async function answers(
  { signal }: TypeContext,
  options: WaitForOptions,
  patience: number,
): Promise<string | undefined> {
  try {
    const { status, body } = await ask("GET", options.url!, signal, patience);
    const good = options.status === undefined ? status >= 200 && status < 300 : status === options.status;
    if (!good) {
      body.destroy();
      return `it answered with the status ${status}`;
    }
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of body) {
      pieces.push(piece);
      size += piece.length;
      if (size > MAX_ANSWER) break;
    }
    return lacks(options, Buffer.concat(pieces).toString("utf8"), "its answer");
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

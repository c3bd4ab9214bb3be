import type { NodeHandle, Mesh as RelayMesh } from "../relay/mesh/types.js";
import { MopError } from "../transport/errors.js";
import type { Value } from "../transport/types.js";
import type { MopPackage } from "./controller/policy/mop-package.js";
import { RemoteError } from "./remote-error.js";
import type { LeafResult } from "./vocabulary/order.js";

export interface CommandResult {
  /** Exit status; -1 when a signal ended it */
  readonly rc: number;
  /** "SIGTERM", when a signal ended it */
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A piece of what a command or function wrote, as it came. */
export interface Output {
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

export interface CommandRunOptions {
  /** Seconds until the command is ended */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Told of output as it comes; what it returns is awaited, which slows this command down and nothing else */
  readonly onOutput?: (output: Output) => void | Promise<void>;
}

/** A function by where it stands, for programs whose own file is no module of theirs (bundles). */
export interface FunctionPlace {
  /** `import.meta.url` or a path */
  readonly module: string | URL;
  /** Name under which the module exports it */
  readonly name: string;
}

/** What may travel: data as JSON has it, and bytes. */
export type Travelling = Value | undefined;

type Order =
  | { readonly kind: "command"; readonly command: string; readonly timeoutMs: number | null }
  | {
      readonly kind: "call";
      readonly module: string;
      readonly packages: { readonly [specifier: string]: string };
      readonly export: string;
      readonly args: readonly Value[];
    };

interface RemoteHostParts {
  readonly mesh: RelayMesh;
  readonly node: NodeHandle;
  readonly mop: MopPackage;
  readonly onOutput: ((output: Output) => void) | undefined;
}

/** A host that a mesh reached. Any number of commands and calls may run there at once. */
export class RemoteHost {
  readonly name: string;
  /** Names of the hops, this host last */
  readonly route: readonly string[];
  readonly #mesh: RelayMesh;
  readonly #node: NodeHandle;
  readonly #mop: MopPackage;
  readonly #onOutput: ((output: Output) => void) | undefined;
  readonly #sent = new Set<string>();

  /** Made by `Mesh.connect`. */
  constructor({ mesh, node, mop, onOutput }: RemoteHostParts) {
    this.#mesh = mesh;
    this.#node = node;
    this.#mop = mop;
    this.#onOutput = onOutput;
    this.name = node.name;
    this.route = node.route;
  }

  /** Round trip of each hop's link in ms, the first one first. */
  ping(): Promise<readonly { from: string; to: string; ms: number }[]> {
    return this.#mesh.ping(this.#node);
  }

  /**
   * Runs a command by the user's shell, as `ssh host command` would. A status other than 0 is a result, no error.
   * Rejects with MopError when the host was lost, or CANCELLED.
   */
  async run(command: string, options: CommandRunOptions = {}): Promise<CommandResult> {
    const texts = { stdout: "", stderr: "" };
    const timeoutMs = options.timeout === undefined ? null : options.timeout * 1000;
    const result = await this.#wing({ kind: "command", command, timeoutMs }, [], options.signal, (output) => {
      texts[output.stream] += output.text;
      return options.onOutput?.(output);
    });
    if (result.kind !== "command") throw this.#unexpected(result);
    return { rc: result.rc, signal: result.signal, ...texts };
  }

  /** A command's output piece by piece; its end is what the generator returns. Leaving the loop ends the command. */
  async *stream(
    command: string,
    options: Omit<CommandRunOptions, "onOutput"> = {},
  ): AsyncGenerator<Output, CommandResult> {
    const left = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal;
    const waiting: Output[] = [];
    let taken = () => {};
    let wake = () => {};
    let ended = false;
    const run = this.run(command, {
      ...options,
      signal,
      onOutput(output) {
        waiting.push(output);
        wake();
        return new Promise((resolve) => {
          taken = resolve;
        });
      },
    });
    const end = () => {
      ended = true;
      wake();
    };
    run.then(end, end);
    try {
      for (;;) {
        const next = waiting.shift();
        if (next) {
          yield next;
          taken();
        } else if (ended) return await run;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (ended || waiting.length > 0) resolve();
          });
      }
    } finally {
      taken();
      if (!ended)
        left.abort(new MopError("CANCELLED", `${this.name}: the command's output is not wanted any more`));
    }
  }

  /**
   * Runs an exported function of a module file on the host and gives what it returns (or resolves to). The function
   * travels with the declarations and imports that it mentions, npm packages included; variables of its module have
   * the values that they are declared with, not those of this process. Arguments and result are plain data. What it
   * prints goes to the mesh's `onOutput`.
   *
   * Rejects with RemoteError when the function throws there, with MopError BAD_ARGUMENT for a function that no module
   * file exports or an argument that is no data, with PolicyError when its module can't be bundled.
   */
  async call<A extends readonly Travelling[], R>(
    fn: ((...args: A) => R | Promise<R>) | FunctionPlace,
    ...args: A
  ): Promise<R> {
    const { shipCall } = await import("./controller/ship/ship-call.js");
    const { order, blobs } = await shipCall(fn, args, this.#mop);
    const result = await this.#wing(order, blobs, undefined, (output) => this.#onOutput?.(output));
    if (result.kind === "error") throw new RemoteError(this.name, result.message, result.stack ?? undefined);
    if (result.kind !== "call") throw this.#unexpected(result);
    return result.value as R;
  }

  async #wing(
    order: Order,
    blobs: readonly Parameters<RelayMesh["offer"]>[0][number][],
    signal: AbortSignal | undefined,
    onOutput: (output: Output) => void | Promise<void>,
  ): Promise<LeafResult> {
    const [{ readWing }, { holdsSecret }, events, { encodeValue }] = await Promise.all([
      import("./controller/run/wing-files.js"),
      import("./controller/secrets/secret-vars.js"),
      import("./controller/run/leaf-events.js"),
      import("../transport/wire/value.js"),
    ]);
    const { entry } = await readWing(this.#mop);
    const all = [entry, ...blobs];
    const fresh = all.map((blob) => blob.hash).filter((hash) => !this.#sent.has(hash));
    this.#mesh.offer(all, [this.#node]);
    this.#mesh.push(fresh, [this.#node]);
    for (const hash of fresh) this.#sent.add(hash);
    const result = await this.#node.wing({
      entry: entry.hash,
      order: encodeValue(order),
      ...(holdsSecret(order) ? { secret: true } : {}),
      ...(signal ? { signal } : {}),
      onEvent: async (bytes) => {
        const event = events.readEvent(bytes);
        if (event?.event === "output") await onOutput({ stream: event.stream, text: event.text });
      },
    });
    return events.readResult(result);
  }

  #unexpected(result: LeafResult): MopError {
    const text = result.kind === "error" ? result.message : `the host answered with a ${result.kind} result`;
    return new MopError("WING_FAILED", `${this.name}: ${text}`);
  }
}

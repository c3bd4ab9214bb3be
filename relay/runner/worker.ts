import type { MessagePort } from "node:worker_threads";
import type { WingHost, WingModule } from "../wing.js";

/** What the worker is started with. */
export interface WorkerStart {
  /** CommonJS source of the wing's entry */
  readonly entry: Uint8Array;
  readonly order: Uint8Array;
  /** The event window, and what an event takes of it on top of its length */
  readonly room: number;
  readonly cost: number;
  /** What the worker before it left */
  readonly kept: unknown;
}

/** From the worker to the node's main thread. */
export type WorkerMessage =
  | { readonly type: "emit" | "done"; readonly body: Uint8Array }
  | { readonly type: "blob"; readonly id: number; readonly hash: string }
  | { readonly type: "prefetch"; readonly id: number; readonly hashes: readonly string[] }
  | { readonly type: "child"; readonly pid: number; readonly runs: boolean }
  | { readonly type: "keep"; readonly kept: unknown };

/** And back. */
export type NodeMessage =
  | "cancel"
  /** Freed of the event window */
  | number
  /** The answer to a question */
  | { readonly id: number; readonly body?: Uint8Array; readonly code?: string; readonly message?: string };

/**
 * The worker's program. Its text is what the worker is started from (Function.prototype.toString), so it uses nothing
 * from outside itself but Node.
 */
export function workerMain(require: NodeJS.Require): void {
  const { parentPort, workerData } = require("node:worker_threads") as typeof import("node:worker_threads");
  const { runInThisContext } = require("node:vm") as typeof import("node:vm");
  const port = parentPort as MessagePort;
  const { entry, order, cost, kept, ...window } = workerData as WorkerStart;
  const stop = new AbortController();
  const asked = new Map<number, { resolve(body?: Uint8Array): void; reject(error: Error): void }>();
  const waiting: (() => void)[] = [];
  let last = 0;
  let { room } = window;

  const say = (message: object, body?: Uint8Array) =>
    port.postMessage(message, body ? [body.buffer as ArrayBuffer] : []);
  // A copy: what it is cut from may be a buffer of many.
  const give = (type: "emit" | "done", bytes: Uint8Array) => {
    const body = new Uint8Array(bytes);
    say({ type, body }, body);
  };
  // A role that waits for nothing any more ends; an answer of ours is something.
  const hold = () => (asked.size + waiting.length > 0 ? port.ref() : port.unref());
  const ask = (question: object) =>
    new Promise<Uint8Array | undefined>((resolve, reject) => {
      asked.set(++last, { resolve, reject });
      say({ ...question, id: last });
      hold();
    });
  port.on("message", (message: NodeMessage) => {
    if (message === "cancel")
      stop.abort(Object.assign(new Error("The run was cancelled"), { code: "CANCELLED" }));
    else if (typeof message === "number") {
      room += message;
      if (room > 0) for (const go of waiting.splice(0)) go();
    } else {
      const question = asked.get(message.id);
      asked.delete(message.id);
      if (message.code === undefined) question?.resolve(message.body);
      else question?.reject(Object.assign(new Error(message.message), { code: message.code }));
    }
    hold();
  });
  hold();

  const host: WingHost = {
    source: entry,
    order,
    kept,
    keep: (kept) => say({ type: "keep", kept }),
    emit(event) {
      room -= event.length + cost;
      give("emit", event);
      if (room > 0) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.push(resolve);
        hold();
      });
    },
    blob: (hash) => ask({ type: "blob", hash }) as Promise<Uint8Array>,
    prefetch: (hashes) => ask({ type: "prefetch", hashes: [...hashes] }).then(() => {}),
    signal: stop.signal,
    childStarted: (pid) => say({ type: "child", pid, runs: true }),
    childEnded: (pid) => say({ type: "child", pid, runs: false }),
    done: (result) => give("done", result),
  };
  const module = { exports: {} as WingModule };
  const run = runInThisContext(`(function(module,exports,require){${Buffer.from(entry)}\n})`, {
    filename: "mop-wing.js",
  });
  run(module, module.exports, require);
  module.exports.start(host);
}

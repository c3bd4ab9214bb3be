import { Worker } from "node:worker_threads";
import type { ErrorName } from "../../transport/errors.js";
import type { Channel } from "../../transport/types.js";
import { EVENT_COST, EVENT_WINDOW, EventSender, ItemKind, SEAL_BYTES } from "../event-stream.js";
import { asMopError, decodeValue, encodeProblem, MopError } from "../node/shared.js";
import type { WingPort } from "../node/wing.js";
import type { Opened, WingOrder } from "../orders.js";
import { MAX_EVENT } from "../wing.js";
import { ProcessGroups } from "./groups.js";
import { type NodeMessage, type WorkerMessage, type WorkerStart, workerMain } from "./worker.js";

/** Milliseconds that a cancelled role has to end its children, and the same when the controller is gone. */
const CANCEL_MS = 2000;
const LOST_MS = 800;

/** A wing that was started. */
export interface RunningWing {
  /** Resolves when nothing of it is left, its children included. Never rejects. */
  readonly over: Promise<void>;
  /** At the process's exit: no child of a role outlives it. */
  kill(): void;
}

/** Runs a wing in a worker of its own, and sends its events up the channel. */
export function runWing(port: WingPort, channel: Channel, order: WingOrder): RunningWing {
  const groups = new ProcessGroups();
  const over = new WingRun(port, channel, order, groups).follow();
  return { over, kill: () => groups.kill("SIGKILL") };
}

class WingRun {
  readonly #port: WingPort;
  readonly #channel: Channel;
  readonly #order: WingOrder;
  readonly #groups: ProcessGroups;
  readonly #events = new EventSender();
  #worker: Worker | undefined;
  #stopped = false;
  readonly #whenStopped: Promise<void>;
  #markStopped: () => void = () => {};
  #giveUp: NodeJS.Timeout | undefined;
  #opened: Opened | undefined;
  /** The stream has its last item */
  #over = false;
  #sending = false;

  constructor(port: WingPort, channel: Channel, order: WingOrder, groups: ProcessGroups) {
    this.#port = port;
    this.#channel = channel;
    this.#order = order;
    this.#groups = groups;
    this.#whenStopped = new Promise((resolve) => {
      this.#markStopped = resolve;
    });
  }

  /** Runs it; resolves when nothing of it is left. Never rejects. */
  async follow(): Promise<void> {
    let start!: (order: Uint8Array) => void;
    const order = new Promise<Uint8Array>((resolve) => {
      start = resolve;
    });
    void this.#listen(start);
    void this.#channel.closed.then((error) => error && this.#stop(LOST_MS));
    try {
      const [whole, entry] = await Promise.race([
        Promise.all([this.#open(order), this.#port.blobs.get(this.#order.entry)]),
        this.#whenStopped.then(() => Promise.reject(cancelled())),
      ]);
      await this.#work(whole, entry);
    } catch (error) {
      this.#end(ItemKind.FAILURE, encodeProblem(asMopError(error, "WING_FAILED")));
    }
  }

  async #open(order: Promise<Uint8Array>): Promise<Uint8Array> {
    if (!this.#order.sealed) return order;
    this.#opened = await this.#port.unseal(await order);
    return this.#opened.plain;
  }

  /** What comes down: the rest of the order, acknowledgements, `cancel`. */
  async #listen(start: (order: Uint8Array) => void): Promise<void> {
    const parts = [this.#order.order];
    let { rest } = this.#order;
    try {
      if (rest === 0) start(this.#order.order);
      for await (const { type, body } of this.#channel.receive()) {
        if (type === "data") {
          rest -= body.length;
          if (rest < 0) throw new MopError("PROTOCOL", "More came than the order's announced bytes");
          parts.push(body);
          if (rest === 0) start(Buffer.concat(parts));
          continue;
        }
        const message = decodeValue(body);
        if (typeof message === "number") this.#tell(this.#events.acknowledge(message));
        else if (message === "cancel") this.#stop(CANCEL_MS);
      }
      // The controller has the result, or wants none.
      this.#channel.end();
      this.#stop(0);
    } catch (error) {
      const { code, message } = asMopError(error);
      this.#channel.reset(code, message);
    }
  }

  /** The role, from the worker's start until nothing of it is left. Rejects when it said no last word. */
  async #work(order: Uint8Array, entry: Uint8Array): Promise<void> {
    const { kept } = this.#port;
    const cost = EVENT_COST + (this.#opened ? SEAL_BYTES : 0);
    const workerData: WorkerStart = { entry, order, room: EVENT_WINDOW, cost, kept };
    const worker = new Worker(`(${workerMain})(require)`, {
      eval: true,
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: this.#order.memoryMb },
    });
    this.#worker = worker;
    let failure: MopError | undefined;
    worker.on("message", (message: WorkerMessage) => this.#fromWorker(message));
    worker.on("error", (error) => {
      failure = failed(error, this.#order.memoryMb);
    });
    const status = await new Promise<number>((resolve) => worker.on("exit", resolve));
    clearTimeout(this.#giveUp);
    this.#worker = undefined;
    await this.#groups.end();
    if (this.#over) return;
    if (this.#stopped) throw cancelled();
    throw failure ?? new MopError("WING_FAILED", `The role ended without a result, with status ${status}`);
  }

  #fromWorker(message: WorkerMessage): void {
    switch (message.type) {
      case "emit":
      case "done":
        this.#append(message.type === "done" ? ItemKind.RESULT : ItemKind.EVENT, message.body);
        break;
      case "child":
        this.#groups.note(message.pid, message.runs);
        break;
      case "keep":
        this.#port.kept = message.kept;
        break;
      case "blob":
        this.#answer(message.id, this.#port.blobs.get(message.hash));
        break;
      case "prefetch":
        this.#answer(
          message.id,
          this.#port.blobs.prefetch(message.hashes).then(() => undefined),
        );
    }
  }

  #append(kind: number, body: Uint8Array): void {
    if (body.length > MAX_EVENT)
      this.#end(
        ItemKind.FAILURE,
        encodeProblem(
          new MopError(
            "WING_FAILED",
            `The role reports ${body.length} bytes at once, at most ${MAX_EVENT} can be`,
          ),
        ),
      );
    else if (kind === ItemKind.EVENT) this.#push(kind, body);
    else this.#end(kind, body);
  }

  /** The stream's last item, the first time; the worker has no say from here on. */
  #end(kind: number, body: Uint8Array): void {
    this.#push(kind, body);
    this.#over = true;
    void this.#worker?.terminate();
  }

  #push(kind: number, body: Uint8Array): void {
    if (this.#over) return;
    this.#events.push({ kind, body: this.#opened ? this.#opened.seal(body) : body });
    if (this.#sending) return;
    this.#sending = true;
    // Behind the other messages of the worker that came with this one
    setImmediate(() => void this.#send());
  }

  async #send(): Promise<void> {
    try {
      for (let message = this.#events.take(); message; message = this.#events.take())
        await this.#channel.write(message);
    } catch {
      // The channel's end is seen by `closed`
    }
    this.#sending = false;
  }

  #answer(id: number, promise: Promise<Uint8Array | undefined>): void {
    promise.then(
      (bytes) => {
        if (!bytes) this.#tell({ id });
        else {
          // A copy to give away: the cache keeps its own
          const body = new Uint8Array(bytes);
          this.#tell({ id, body }, [body.buffer as ArrayBuffer]);
        }
      },
      (error: unknown) => {
        const { code, message } = asMopError(error);
        this.#tell({ id, code, message });
      },
    );
  }

  #tell(message: NodeMessage, transfer: ArrayBuffer[] = []): void {
    this.#worker?.postMessage(message, transfer);
  }

  /** Lets the role end by itself for so long. */
  #stop(graceMs: number): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#markStopped();
    this.#tell("cancel");
    this.#giveUp = setTimeout(() => void this.#worker?.terminate(), graceMs);
  }
}

const cancelled = () => new MopError("CANCELLED", "The role was cancelled");

function failed(error: NodeJS.ErrnoException, memoryMb: number): MopError {
  const code: ErrorName = error?.code === "ERR_WORKER_OUT_OF_MEMORY" ? "OUT_OF_MEMORY" : "WING_FAILED";
  if (code === "OUT_OF_MEMORY")
    return new MopError(code, `The role needs more than ${memoryMb} MB of memory`);
  const [first = ""] = String(error?.message ?? error).split("\n");
  return new MopError(code, `The role failed: ${first}`);
}

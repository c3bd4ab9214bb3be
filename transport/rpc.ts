import { afterReading } from "./after-reading.js";
import { asMopError, MopError } from "./errors.js";
import type { CallHandler, CallOptions, NodeId, Value } from "./types.js";
import { FrameType, MAX_CALLS, MAX_FRAME } from "./wire/constants.js";
import { EMPTY, type Frame } from "./wire/frame.js";
import { encodeProblem, readProblem } from "./wire/problem.js";
import { decodeValue, encodeValue } from "./wire/value.js";

/** Queues a frame to another node. */
export type Send = (type: number, destination: NodeId, channel: number, body: Uint8Array) => void;

interface Pending {
  readonly node: NodeId;
  readonly settle: (outcome: Value | MopError) => void;
}

/** The calls that this node makes. */
export class Caller {
  readonly #send: Send;
  readonly #pending = new Map<number, Pending>();
  #last = 0;

  constructor(send: Send) {
    this.#send = send;
  }

  call(node: NodeId, method: string, args: Value, options: CallOptions = {}): Promise<Value> {
    const { timeoutMs = 0, signal } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) throw new MopError("CANCELLED", `The call of ${method} was cancelled`);
      const body = encodeValue([method, args, timeoutMs]);
      if (body.length > MAX_FRAME)
        throw new MopError(
          "FRAME_TOO_LARGE",
          `The arguments of ${method} have ${body.length} bytes, at most ${MAX_FRAME}`,
        );
      const id = this.#nextId();
      let inTime = () => {};
      const settle = (outcome: Value | MopError): void => {
        this.#pending.delete(id);
        inTime();
        signal?.removeEventListener("abort", onAbort);
        if (outcome instanceof MopError) reject(outcome);
        else resolve(outcome);
      };
      const giveUp = (error: MopError): void => {
        this.#send(FrameType.CANCEL, node, id, EMPTY);
        settle(error);
      };
      const onAbort = (): void => giveUp(new MopError("CANCELLED", `The call of ${method} was cancelled`));
      signal?.addEventListener("abort", onAbort);
      if (timeoutMs > 0)
        inTime = afterReading(timeoutMs, () =>
          giveUp(new MopError("TIMEOUT", `Node ${node} did not answer ${method} within ${timeoutMs} ms`)),
        );
      this.#pending.set(id, { node, settle });
      this.#send(FrameType.CALL, node, id, body);
    });
  }

  /** RESULT or FAIL from below. Answers to calls that are over are late, not wrong. */
  answered(frame: Frame): void {
    const pending = this.#pending.get(frame.channel);
    if (pending?.node !== frame.source) return;
    if (frame.type === FrameType.FAIL) {
      pending.settle(readProblem(frame.body));
      return;
    }
    try {
      pending.settle(decodeValue(frame.body));
    } catch (error) {
      pending.settle(asMopError(error, "PROTOCOL"));
    }
  }

  /** Fails all calls to these nodes; to all nodes when none are given. */
  fail(nodes: ReadonlySet<NodeId> | undefined, error: MopError): void {
    for (const pending of [...this.#pending.values()])
      if (!nodes || nodes.has(pending.node)) pending.settle(error);
  }

  #nextId(): number {
    do this.#last = (this.#last + 1) >>> 0;
    while (this.#last === 0 || this.#pending.has(this.#last));
    return this.#last;
  }
}

/** The calls that this node serves: an explicit table of methods. */
export class Callee {
  readonly #send: Send;
  readonly #handlers = new Map<string, CallHandler>();
  readonly #running = new Map<string, AbortController>();

  constructor(send: Send) {
    this.#send = send;
  }

  handle(method: string, handler: CallHandler): void {
    this.#handlers.set(method, handler);
  }

  /** CALL or CANCEL from above. */
  accept(frame: Frame): void {
    const key = `${frame.source} ${frame.channel}`;
    if (frame.type === FrameType.CANCEL)
      this.#running.get(key)?.abort(new MopError("CANCELLED", "The caller cancelled the call"));
    else void this.#run(key, frame);
  }

  /** The route to all callers is gone. */
  abortAll(error: MopError): void {
    for (const running of this.#running.values()) running.abort(error);
  }

  async #run(key: string, frame: Frame): Promise<void> {
    const controller = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    try {
      if (this.#running.has(key)) throw new MopError("PROTOCOL", `Call ${frame.channel} is running already`);
      if (this.#running.size >= MAX_CALLS)
        throw new MopError("TOO_MANY", `More than ${MAX_CALLS} calls at a time`);
      const { method, args, timeoutMs } = readCall(frame.body);
      const handler = this.#handlers.get(method);
      if (!handler) throw new MopError("UNKNOWN_METHOD", `This node serves no method ${method}`);
      this.#running.set(key, controller);
      if (timeoutMs > 0)
        timer = setTimeout(
          () => controller.abort(new MopError("TIMEOUT", `${method} took too long`)),
          timeoutMs,
        );
      try {
        const result = await handler(args, { source: frame.source, signal: controller.signal });
        if (!cancelled(controller.signal))
          this.#send(FrameType.RESULT, frame.source, frame.channel, encodeResult(method, result));
      } finally {
        clearTimeout(timer);
        this.#running.delete(key);
      }
    } catch (error) {
      if (!cancelled(controller.signal))
        this.#send(FrameType.FAIL, frame.source, frame.channel, encodeProblem(asMopError(error)));
    }
  }
}

/** Nobody waits for the answer any more. */
const cancelled = (signal: AbortSignal): boolean => signal.aborted;

function encodeResult(method: string, result: Value): Buffer {
  const body = encodeValue(result);
  if (body.length > MAX_FRAME)
    throw new MopError(
      "FRAME_TOO_LARGE",
      `The result of ${method} has ${body.length} bytes, at most ${MAX_FRAME}`,
    );
  return body;
}

function readCall(body: Uint8Array): { method: string; args: Value; timeoutMs: number } {
  const call = decodeValue(body);
  if (Array.isArray(call)) {
    const [method, args, timeoutMs] = call as readonly Value[];
    if (typeof method === "string" && args !== undefined && typeof timeoutMs === "number" && timeoutMs >= 0)
      return { method, args, timeoutMs };
  }
  throw new MopError("PROTOCOL", "A CALL is [method, arguments, milliseconds]");
}

import type { ChildProcess } from "node:child_process";
import type { Value } from "../../../transport/types.js";
import { abortReason, causeOf, Refusal } from "../errors.js";
import { Collector } from "../process/collector.js";
import { withLastLine } from "../process/execute.js";
import {
  type Applied,
  type FromAccount,
  frameMessage,
  messageReader,
  type PlanView,
  type ToAccount,
} from "./messages.js";

/** What an account's process needs of the role's. */
export interface AccountPort {
  blob(hash: string): Promise<Uint8Array>;
  prefetch(hashes: readonly string[]): Promise<void>;
  output(stream: "stdout" | "stderr", text: string): Promise<void>;
  secret(text: string): void;
}

type Answer = Extract<FromAccount, { type: "planned" | "applied" }>;

/** One process that does resources as another user, seen from the role's. */
export class Account {
  readonly #user: string;
  readonly #child: ChildProcess;
  readonly #port: AccountPort;
  readonly #waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();
  readonly #words = new Collector(4096);
  #last = 0;
  #ended: Error | undefined;

  constructor(user: string, child: ChildProcess, order: Value, port: AccountPort) {
    this.#user = user;
    this.#child = child;
    this.#port = port;
    const read = messageReader<FromAccount>();
    child.stdout!.on("data", (chunk: Buffer) => {
      try {
        for (const message of read(chunk)) this.#take(message);
      } catch (error) {
        this.#end(causeOf(error));
        child.kill("SIGKILL");
      }
    });
    child.stderr!.on("data", (chunk: Buffer) => this.#words.add(chunk.toString("utf8")));
    child.on("error", (error) => this.#end(causeOf(error)));
    child.on("close", (code, signal) => this.#end(signal ? `ended by ${signal}` : `status ${code}`));
    this.#send({ type: "order", order });
  }

  /** Plans a resource there; `id` names the plan. Rejects with a Refusal. */
  async plan(
    key: string,
    name: string,
    options: Value,
    signal: AbortSignal,
  ): Promise<{ readonly id: number; readonly plan: PlanView }> {
    const id = ++this.#last;
    const answer = await this.#ask({ type: "plan", id, key, name, options }, signal);
    if (answer.type !== "planned") throw new Refusal("the answer to a plan is none");
    return { id, plan: answer.plan };
  }

  async apply(id: number, signal: AbortSignal): Promise<Applied> {
    const answer = await this.#ask({ type: "apply", id }, signal);
    if (answer.type !== "applied") throw new Refusal("the answer to an apply is none");
    return answer.applied;
  }

  foresee(id: number): void {
    this.#send({ type: "foresee", id });
  }

  /** The process ends with its stdin. */
  close(): void {
    this.#child.stdin!.end();
  }

  #ask(message: Extract<ToAccount, { id: number }>, signal: AbortSignal): Promise<Answer> {
    const { id } = message;
    if (this.#ended) return Promise.reject(this.#ended);
    if (signal.aborted) return Promise.reject(abortReason(signal));
    const cancel = () => this.#send({ type: "cancel", id });
    signal.addEventListener("abort", cancel, { once: true });
    return new Promise<Answer>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#send(message);
    }).finally(() => signal.removeEventListener("abort", cancel));
  }

  #take(message: FromAccount): void {
    switch (message.type) {
      case "output":
        void this.#port.output(message.stream, message.text).catch(() => undefined);
        return;
      case "secret":
        this.#port.secret(message.text);
        return;
      case "prefetch":
        void this.#port.prefetch(message.hashes);
        return;
      case "blob":
        this.#port.blob(message.hash).then(
          (body) => this.#send({ type: "blob", id: message.id, body, error: null }),
          (error: unknown) => this.#send({ type: "blob", id: message.id, body: null, error: causeOf(error) }),
        );
        return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === "refused") waiting?.reject(new Refusal(message.message));
    else waiting?.resolve(message);
  }

  #send(message: ToAccount): void {
    if (!this.#ended) this.#child.stdin!.write(frameMessage(message));
  }

  #end(why: string): void {
    if (this.#ended) return;
    const words = withLastLine(why, this.#words.text);
    this.#ended = new Refusal(`the process that works as ${this.#user} has ended (${words})`);
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}

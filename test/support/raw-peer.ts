import type { Duplex } from "node:stream";
import { SequenceSplitter } from "../../transport/wire/cbor-sequence.js";
import { FRAME_RULES, type FrameName, FrameType } from "../../transport/wire/constants.js";
import { decodeFrame, EMPTY, encodeFrame, type Frame } from "../../transport/wire/frame.js";
import { readProblem } from "../../transport/wire/problem.js";
import { until } from "./alive.js";

/** A frame from its parts that matter; the rest is 0 or empty. */
export function frameOf(name: FrameName, parts: Partial<Omit<Frame, "type">> = {}): Frame {
  return {
    type: FrameType[name],
    flags: 0,
    destination: 0,
    source: 0,
    channel: 0,
    body: EMPTY,
    ...parts,
  };
}

/** The other end of a link, that writes what it likes and keeps what it gets. */
export class RawPeer {
  readonly frames: Frame[] = [];
  ended = false;
  readonly #pipe: Duplex;

  constructor(pipe: Duplex) {
    this.#pipe = pipe;
    const splitter = new SequenceSplitter();
    pipe.on("data", (chunk: Uint8Array) => {
      for (const item of splitter.push(chunk)) this.frames.push(decodeFrame(item));
    });
    const end = () => {
      this.ended = true;
    };
    pipe.on("end", end).on("close", end).on("error", end);
  }

  send(...frames: readonly Frame[]): void {
    this.bytes(Buffer.concat(frames.map(encodeFrame)));
  }

  bytes(bytes: Uint8Array): void {
    if (!this.#pipe.writableEnded && !this.#pipe.destroyed) this.#pipe.write(Buffer.from(bytes));
  }

  end(): void {
    this.#pipe.end();
  }

  destroy(): void {
    this.#pipe.destroy();
  }

  of(name: FrameName): Frame[] {
    return this.frames.filter(({ type }) => type === FrameType[name]);
  }

  /** The names of what came, in order. */
  get names(): string[] {
    return this.frames.map(({ type }) => FRAME_RULES.get(type)!.name);
  }

  /** Waits for the first frame of this type. */
  async first(name: FrameName): Promise<Frame> {
    await until(name, () => this.of(name).length > 0 || this.ended);
    const [frame] = this.of(name);
    if (!frame) throw new Error(`the link ended without ${name}, after ${this.names.join(", ")}`);
    return frame;
  }

  /** The code of the goodbye, "clean" for one without; waits for it. */
  async goodbye(): Promise<string> {
    const { body } = await this.first("BYE");
    return body.length === 1 && body[0] === 0xf6 ? "clean" : readProblem(body).code;
  }
}

import { ReceiveWindow, SendCredit } from "./credit.js";
import { asMopError, type ErrorName, MopError } from "./errors.js";
import type { Ticket } from "./queue.js";
import type { Channel, ChannelItem, NodeId } from "./types.js";
import { FrameType, MAX_MESSAGE, WindowFlag } from "./wire/constants.js";
import { EMPTY, type Frame, readU32, u32 } from "./wire/frame.js";
import { encodeProblem, readProblem } from "./wire/problem.js";

/** What a channel needs of the endpoint: frames out, a clock, and to be forgotten when it is over. */
export interface ChannelPort {
  /** Queues a frame of this channel; the ticket tells when it left for the link. */
  send(type: number, flags: number, body: Uint8Array, ticket?: Ticket): void;
  now(): number;
  forget(): void;
}

interface Outgoing {
  readonly type: number;
  readonly body: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: MopError) => void;
}

/** One end of a channel: credit both ways, half-close, reset. Touches no link itself. */
export class FlowChannel implements Channel {
  readonly id: number;
  readonly peer: NodeId;
  readonly kind: string;
  readonly closed: Promise<MopError | undefined>;
  readonly #port: ChannelPort;
  readonly #credit = new SendCredit();
  readonly #window = new ReceiveWindow();
  /** Written, waiting for credit */
  readonly #waiting: Outgoing[] = [];
  /** Given to the link, not yet taken by it */
  readonly #sending = new Set<Outgoing>();
  #ending = false;
  #endSent = false;
  readonly #received: ChannelItem[] = [];
  #peerEnded = false;
  #echoing = false;
  #error: MopError | undefined;
  #over = false;
  #wake: (() => void) | undefined;
  #settle: (error: MopError | undefined) => void = () => {};

  constructor(id: number, peer: NodeId, kind: string, port: ChannelPort) {
    this.id = id;
    this.peer = peer;
    this.kind = kind;
    this.#port = port;
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  write(body: Uint8Array): Promise<void> {
    return this.#write(FrameType.DATA, body);
  }

  control(body: Uint8Array): Promise<void> {
    return this.#write(FrameType.CONTROL, body);
  }

  #write(type: number, body: Uint8Array): Promise<void> {
    if (this.#error) return Promise.reject(this.#error);
    if (this.#ending)
      return Promise.reject(new MopError("CHANNEL_CLOSED", `The ${this.kind} channel was ended already`));
    if (body.length > MAX_MESSAGE)
      return Promise.reject(
        new MopError(
          "FRAME_TOO_LARGE",
          `A message of ${body.length} bytes, at most ${MAX_MESSAGE} fit a channel`,
        ),
      );
    return new Promise((resolve, reject) => {
      this.#waiting.push({ type, body, resolve, reject });
      this.#pump();
    });
  }

  end(): void {
    if (this.#ending || this.#over) return;
    this.#ending = true;
    this.#pump();
  }

  reset(code: ErrorName, message: string = code): void {
    if (this.#over) return;
    const error = new MopError(code, message);
    this.#port.send(FrameType.RESET, 0, encodeProblem(error));
    this.#received.length = 0;
    this.fail(error);
  }

  async *receive(): AsyncGenerator<ChannelItem, void, undefined> {
    for (;;) {
      const item = this.#received.shift();
      if (item) {
        this.#giveBack(this.#window.taken(item.body.length));
        yield item;
      } else if (this.#error) {
        throw this.#error;
      } else if (this.#peerEnded) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  /** One frame of the other side. */
  accept(frame: Frame): void {
    if (this.#over) return;
    switch (frame.type) {
      case FrameType.DATA:
      case FrameType.CONTROL:
        this.#arrived(frame);
        break;
      case FrameType.WINDOW:
        if ((frame.flags & WindowFlag.PROBE) !== 0) this.#echo();
        if ((frame.flags & WindowFlag.ECHO) !== 0) this.#giveBack(this.#window.echoed(this.#port.now()));
        if (!this.#credit.grant(readU32(frame.body)))
          this.reset("WINDOW_EXCEEDED", "More credit was granted than a window may have");
        else this.#pump();
        break;
      case FrameType.END:
        this.#peerEnded = true;
        this.#notify();
        this.#finishIfEnded();
        break;
      case FrameType.RESET:
        this.fail(readProblem(frame.body));
        break;
    }
  }

  /** The channel is over without a word to the other side: it said so, or can't be reached. */
  fail(error: MopError): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    for (const out of [...this.#sending, ...this.#waiting]) out.reject(error);
    this.#sending.clear();
    this.#waiting.length = 0;
    this.#port.forget();
    this.#notify();
    this.#settle(error);
  }

  #arrived(frame: Frame): void {
    if (this.#peerEnded) {
      this.reset("PROTOCOL", "A message came behind the channel's end");
      return;
    }
    if (!this.#window.arrived(frame.body.length)) {
      this.reset(
        "WINDOW_EXCEEDED",
        `The other side of the ${this.kind} channel sent more than it had credit for`,
      );
      return;
    }
    this.#received.push({ type: frame.type === FrameType.DATA ? "data" : "control", body: frame.body });
    if (this.#window.shouldProbe(this.#port.now()))
      this.#port.send(FrameType.WINDOW, WindowFlag.PROBE, u32(0));
    this.#notify();
  }

  /** Once until it left: a peer that asks without end gets no more. */
  #echo(): void {
    if (this.#echoing) return;
    this.#echoing = true;
    const done = (): void => {
      this.#echoing = false;
    };
    this.#port.send(FrameType.WINDOW, WindowFlag.ECHO, u32(0), { taken: done, dropped: done });
  }

  #giveBack(credit: number): void {
    if (credit > 0 && !this.#over && !this.#peerEnded) this.#port.send(FrameType.WINDOW, 0, u32(credit));
  }

  #pump(): void {
    for (let out = this.#waiting[0]; out && this.#credit.take(out.body.length); out = this.#waiting[0]) {
      this.#waiting.shift();
      this.#send(out);
    }
    if (!this.#ending || this.#waiting.length > 0 || this.#endSent || this.#over) return;
    this.#endSent = true;
    this.#port.send(FrameType.END, 0, EMPTY);
    this.#finishIfEnded();
  }

  #send(out: Outgoing): void {
    this.#sending.add(out);
    this.#port.send(out.type, 0, out.body, {
      taken: () => {
        this.#sending.delete(out);
        out.resolve();
      },
      dropped: () => {
        this.#sending.delete(out);
        out.reject(
          this.#error ?? new MopError("NODE_GONE", `The link was closed before a ${this.kind} message left`),
        );
      },
    });
  }

  #finishIfEnded(): void {
    if (!this.#endSent || !this.#peerEnded || this.#over) return;
    this.#over = true;
    this.#port.forget();
    this.#settle(undefined);
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

/** Runs a handler that mustn't throw into the link; its error resets the channel. */
export function guard(channel: Channel, run: () => void): void {
  try {
    run();
  } catch (error) {
    const { code, message } = asMopError(error);
    channel.reset(code, message);
  }
}

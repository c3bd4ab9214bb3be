import type { WingHost } from "../../relay/wing.js";
import { MAX_EVENT } from "../../relay/wing.js";
import type { Value } from "../../transport/types.js";
import { encodeValue } from "../../transport/wire/value.js";
import type { FetchEvent, LeafEvent } from "../vocabulary/events.js";
import { Masker, type MaskStream } from "../vocabulary/masker.js";
import type { RunLog } from "./log/run-log.js";
import { maskDiff } from "./mask-diff.js";

/** Characters of one output event: with three bytes each it still fits. */
const OUTPUT_PIECE = 16 * 1024;
/** Characters that a resource's name and its error keep; the diff has the rest of the event to itself. */
const MAX_NAME = 2 * 1024;
const MAX_TEXT = 8 * 1024;
const MAX_CHANGES = 64;
const MAX_CHANGE = 200;
/** Bytes of a diff: what the rest of the event leaves, at three bytes a character and room for the notes on cuts. */
const MAX_DIFF = MAX_EVENT - 3 * (MAX_NAME + MAX_TEXT + MAX_CHANGES * (MAX_CHANGE + 50)) - 1024;

export type ResourceReport = Omit<Extract<LeafEvent, { event: "resource" }>, "event" | "role">;

/** What a run reports: secrets masked, then cut to what an event may hold, in the order in which it was said. */
export class Events {
  readonly #host: Pick<WingHost, "emit">;
  readonly #masker: Masker;
  readonly #streams: Readonly<Record<"stdout" | "stderr", MaskStream>>;
  readonly #waiting = new Set<Promise<void>>();
  #log: RunLog | undefined;

  constructor(host: Pick<WingHost, "emit">, masker: Masker = new Masker()) {
    this.#host = host;
    this.#masker = masker;
    this.#streams = { stdout: masker.stream(), stderr: masker.stream() };
  }

  /** From now on what changed or failed stands in this log too. */
  keep(log: RunLog): void {
    this.#log = log;
  }

  resource(role: string, report: ResourceReport): Promise<void> {
    this.#tellRest();
    const { type, status, ignored, ms } = report;
    const mask = (text: string): string => this.#masker.mask(text);
    const name = mask(report.name);
    const changes = report.changes.map(mask);
    const error = report.error === undefined ? undefined : mask(report.error);
    const diff = report.diff === undefined ? undefined : maskDiff(this.#masker, report.diff);
    this.#log?.resource({ type, name, status, changes, ...(error === undefined ? {} : { error }) });
    return this.#emit({
      event: "resource",
      role,
      type,
      name: shortened(name, MAX_NAME),
      status,
      changes: changes.slice(0, MAX_CHANGES).map((change) => shortened(change, MAX_CHANGE)),
      ...(diff === undefined ? {} : { diff: shortenedDiff(diff, MAX_DIFF) }),
      ...(error === undefined ? {} : { error: shortened(error, MAX_TEXT) }),
      ...(ignored ? { ignored } : {}),
      ms,
    });
  }

  role(role: string, status: "ok" | "failed", error?: string): Promise<void> {
    this.#tellRest();
    return this.#emit({
      event: "role",
      role,
      status,
      ...(error === undefined ? {} : { error: shortened(this.#masker.mask(error), MAX_TEXT) }),
    });
  }

  /** Something in passing, once it is known. */
  notice(text: string): Promise<void> {
    return this.#emit({ event: "notice", text: shortened(this.#masker.mask(text), MAX_TEXT) });
  }

  /**
   * Output as it comes, cut anywhere: what may be a secret's beginning waits for what follows, or for the end of its
   * resource.
   */
  output(stream: "stdout" | "stderr", text: string): Promise<void> {
    return this.#send(stream, this.#streams[stream].push(text));
  }

  /** A text that is whole, as a line of the console: nothing of it waits, and it goes between what others say. */
  line(stream: "stdout" | "stderr", text: string): Promise<void> {
    return this.#send(stream, this.#masker.mask(text));
  }

  /** Tells what was held back: its end has come. */
  #tellRest(): void {
    for (const stream of ["stdout", "stderr"] as const)
      this.#send(stream, this.#streams[stream].end()).catch(() => undefined);
  }

  /** Long output goes out in pieces: nothing of it is lost. */
  #send(stream: "stdout" | "stderr", text: string): Promise<void> {
    if (text === "") return Promise.resolve();
    const send = async (): Promise<void> => {
      for (const piece of pieces(text))
        await this.#host.emit(encodeValue({ event: "output", stream, text: piece }));
    };
    return this.#remember(send());
  }

  fetch(event: FetchEvent): Promise<void> {
    return this.#emit({ ...event });
  }

  /** Resolves when all that was said is on its way. */
  async flushed(): Promise<void> {
    this.#tellRest();
    while (this.#waiting.size > 0) await Promise.all(this.#waiting);
  }

  #emit(event: { readonly [key: string]: Value }): Promise<void> {
    return this.#remember(this.#host.emit(encodeValue(event)));
  }

  #remember(sent: Promise<void>): Promise<void> {
    const settled: Promise<void> = sent
      .catch(() => undefined)
      .then(() => {
        this.#waiting.delete(settled);
      });
    this.#waiting.add(settled);
    return sent;
  }
}

function* pieces(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    let to = Math.min(text.length, from + OUTPUT_PIECE);
    // A pair of surrogates is one character.
    if (to < text.length && isHighSurrogate(text.charCodeAt(to - 1))) to--;
    yield text.slice(from, to);
    from = to;
  }
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

/** At most `most` characters; what is left out is counted. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most)}... [${text.length - most} characters left out]`;
}

/** At most `most` bytes of whole lines of a diff, and a sentence for the rest. */
export function shortenedDiff(diff: string, most: number): string {
  if (Buffer.byteLength(diff) <= most) return diff;
  const lines = diff.split("\n");
  let kept = 0;
  for (let size = 0; kept < lines.length; kept++) {
    size += Buffer.byteLength(lines[kept]!) + 1;
    if (size > most) break;
  }
  const rest = `[${lines.length - kept} more lines of this diff are left out]`;
  return [...lines.slice(0, kept), rest].join("\n");
}

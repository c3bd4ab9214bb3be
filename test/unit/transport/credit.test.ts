import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { messageCost, ReceiveWindow, SendCredit } from "../../../transport/credit.js";
import { INITIAL_WINDOW, MAX_MESSAGE, MAX_WINDOW, MESSAGE_COST } from "../../../transport/wire/constants.js";

/** A writer and a reader with wires between them; every step is one event of either. */
class Pair {
  readonly writer = new SendCredit();
  readonly reader = new ReceiveWindow();
  /** Sizes of messages on the way, and at the reader untaken */
  readonly #down: number[] = [];
  readonly #untaken: number[] = [];
  readonly #up: ("echo" | number)[] = [];
  #probes = 0;
  now = 0;
  sent = 0;
  taken = 0;

  write(bytes: number): boolean {
    if (!this.writer.take(bytes)) return false;
    this.#down.push(bytes);
    this.sent += messageCost(bytes);
    return true;
  }

  /** One message arrives; false when none was on its way. */
  deliver(): boolean {
    const bytes = this.#down.shift();
    if (bytes === undefined) return false;
    expect(this.reader.arrived(bytes)).toBe(true);
    this.#untaken.push(bytes);
    if (this.reader.shouldProbe(this.now)) this.#probes++;
    return true;
  }

  take(): boolean {
    const bytes = this.#untaken.shift();
    if (bytes === undefined) return false;
    this.taken += messageCost(bytes);
    this.#grant(this.reader.taken(bytes));
    return true;
  }

  /** The probe reaches the writer, which answers at once. */
  echo(): void {
    if (this.#probes === 0) return;
    this.#probes--;
    this.#up.push("echo");
  }

  back(): boolean {
    const one = this.#up.shift();
    if (one === undefined) return false;
    if (one === "echo") this.#grant(this.reader.echoed(this.now));
    else expect(this.writer.grant(one)).toBe(true);
    return true;
  }

  settle(): void {
    for (let more = true; more; ) {
      more = false;
      while (this.deliver()) more = true;
      while (this.take()) more = true;
      this.echo();
      while (this.back()) more = true;
    }
  }

  #grant(credit: number): void {
    if (credit > 0) this.#up.push(credit);
  }
}

const size = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: MAX_MESSAGE }));
const step = fc.oneof(
  size.map((bytes) => ["write", bytes] as const),
  fc.constantFrom(["deliver"] as const, ["take"] as const, ["echo"] as const, ["back"] as const),
  fc.integer({ min: 1, max: 700 }).map((ms) => ["wait", ms] as const),
);

describe("a channel's credit", () => {
  it("never lets through what the reader refuses, never exceeds a window, and is never lost", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const pair = new Pair();
        for (const [what, n] of steps) {
          if (what === "write") pair.write(n);
          else if (what === "wait") pair.now += n;
          else pair[what]();
          expect(pair.sent - pair.taken).toBeLessThanOrEqual(pair.reader.window);
          expect(pair.reader.window).toBeLessThanOrEqual(MAX_WINDOW);
          expect(pair.writer.left).toBeGreaterThanOrEqual(0);
        }
        pair.settle();
        // All was taken: at most a quarter of the window, not yet worth a frame, is still owed.
        expect(pair.writer.left).toBeGreaterThan((pair.reader.window * 3) / 4 - 1);
        expect(pair.writer.left).toBeLessThanOrEqual(pair.reader.window);
        // So the largest message always finds room in the end.
        expect(pair.write(MAX_MESSAGE)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("bounds what a writer without answers can send, empty messages too", () => {
    const bytes = new Pair();
    let count = 0;
    while (bytes.write(1000)) count++;
    expect(count).toBe(Math.floor(INITIAL_WINDOW / (1000 + MESSAGE_COST)));
    const empty = new Pair();
    count = 0;
    while (empty.write(0)) count++;
    expect(count).toBe(INITIAL_WINDOW / MESSAGE_COST);
  });

  it("tells when the other side sends more than it may", () => {
    const reader = new ReceiveWindow();
    for (let left = INITIAL_WINDOW; left >= messageCost(MAX_MESSAGE); left -= messageCost(MAX_MESSAGE))
      expect(reader.arrived(MAX_MESSAGE)).toBe(true);
    expect(reader.arrived(MAX_MESSAGE)).toBe(false);
  });

  it("refuses a grant past any window", () => {
    const credit = new SendCredit();
    expect(credit.grant(MAX_WINDOW - INITIAL_WINDOW)).toBe(true);
    expect(credit.grant(1)).toBe(false);
    expect(new SendCredit().grant(0xffff_ffff)).toBe(false);
  });

  /**
   * The window after 12 s of a writer that never stops, over a link of `rate` bytes/ms and a round trip of `rtt` ms,
   * simulated event by event: what is written waits its turn on the link, ECHO and data alike.
   */
  function windowAfter(rate: number, rtt: number, message: number, reads = true): number {
    const writer = new SendCredit();
    const reader = new ReceiveWindow();
    const events: { at: number; run: () => void }[] = [];
    let now = 0;
    let linkFree = 0;
    const at = (time: number, run: () => void) => {
      let place = events.length;
      while (place > 0 && events[place - 1]!.at > time) place--;
      events.splice(place, 0, { at: time, run });
    };
    const down = (bytes: number, run: () => void) => {
      linkFree = Math.max(linkFree, now) + bytes / rate;
      at(linkFree + rtt / 2, run);
    };
    const up = (run: () => void) => at(now + rtt / 2, run);
    const grant = (credit: number) => {
      if (credit > 0)
        up(() => {
          writer.grant(credit);
          write();
        });
    };
    const write = () => {
      while (writer.take(message))
        down(message, () => {
          expect(reader.arrived(message)).toBe(true);
          if (reader.shouldProbe(now)) up(() => down(20, () => grant(reader.echoed(now))));
          if (reads) grant(reader.taken(message));
        });
    };
    write();
    for (let event = events.shift(); event && event.at < 12_000; event = events.shift()) {
      now = event.at;
      event.run();
    }
    return reader.window;
  }

  it.each([
    [125, 180],
    [1250, 180],
    [12_500, 180],
    [125, 600],
    [1250, 600],
    [12_500, 600],
    [50_000, 20],
  ])("grows to the bandwidth-delay product at %d bytes/ms and %d ms", (rate, rtt) => {
    const wanted = Math.min(rate * rtt, MAX_WINDOW);
    for (const message of [4096, 32_768, MAX_MESSAGE]) {
      const window = windowAfter(rate, rtt, message);
      expect(window, `messages of ${message}`).toBeGreaterThanOrEqual(wanted * 0.8);
      expect(window).toBeLessThanOrEqual(Math.max(2 * INITIAL_WINDOW, wanted * 6));
    }
  });

  it("stays small for a reader that doesn't read", () => {
    expect(windowAfter(12_500, 600, 32_768, false)).toBe(INITIAL_WINDOW);
  });
});

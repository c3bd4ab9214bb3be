import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  EVENT_COST,
  EventReceiver,
  EventSender,
  ItemKind,
  type StreamItem,
} from "../../relay/event-stream.js";
import { MAX_EVENT } from "../../relay/wing.js";

const event = (body: Uint8Array | string): StreamItem => ({ kind: ItemKind.EVENT, body: Buffer.from(body) });
const texts = (items: readonly StreamItem[]) => items.map(({ body }) => Buffer.from(body).toString());

function sending(...bodies: string[]): EventSender {
  const sender = new EventSender();
  for (const body of bodies) sender.push(event(body));
  return sender;
}
const all = (sender: EventSender): Uint8Array[] => {
  const messages: Uint8Array[] = [];
  for (let next = sender.take(); next; next = sender.take()) messages.push(next);
  return messages;
};

describe("the event stream", () => {
  test("sends what was pushed together as one message of the documented form", () => {
    const sender = sending("ab", "");
    sender.push({ kind: ItemKind.RESULT, body: Buffer.from("c") });
    expect(Buffer.from(sender.take()!).toString("hex")).toBe(
      "00000001" + "0000026162" + "000000" + "01000163",
    );
    expect(sender.take()).toBeUndefined();
  });

  test("numbers go on behind what was acknowledged", () => {
    const sender = sending("a", "b");
    all(sender);
    expect(sender.acknowledge(1)).toBe(1 + EVENT_COST);
    sender.push(event("c"));
    expect(Buffer.from(sender.take()!).toString("hex")).toBe("00000003" + "00000163");
  });

  test("an acknowledgement frees the window once, an older one nothing", () => {
    const sender = sending("aa", "bbb", "c");
    all(sender);
    expect(sender.acknowledge(2)).toBe(5 + 2 * EVENT_COST);
    expect(sender.acknowledge(2)).toBe(0);
    expect(sender.acknowledge(1)).toBe(0);
    expect(sender.acknowledge(3)).toBe(1 + EVENT_COST);
  });

  test("acknowledging what was not sent is refused", () => {
    const sender = sending("a", "b");
    expect(() => sender.acknowledge(1)).toThrow(expect.objectContaining({ code: "PROTOCOL" }));
    all(sender);
    expect(() => sender.acknowledge(3)).toThrow(expect.objectContaining({ code: "PROTOCOL" }));
  });

  test("no message is larger than 32 kB, and large events come whole", () => {
    const bodies = [Buffer.alloc(100_000, 1), Buffer.alloc(3, 2), Buffer.alloc(MAX_EVENT, 3)];
    const sender = new EventSender();
    for (const body of bodies) sender.push(event(body));
    const receiver = new EventReceiver();
    const got = all(sender).flatMap((message) => {
      expect(message.length).toBeLessThanOrEqual(32 * 1024);
      return receiver.accept(message);
    });
    expect(got).toHaveLength(bodies.length);
    got.forEach(({ body }, index) => {
      expect(bodies[index]!.equals(body)).toBe(true);
    });
  });

  test("a duplicate is dropped, a gap is refused", () => {
    const sender = sending("a");
    const first = sender.take()!;
    sender.push(event("b"));
    const second = sender.take()!;
    const receiver = new EventReceiver();
    expect(() => new EventReceiver().accept(second)).toThrow(expect.objectContaining({ code: "PROTOCOL" }));
    expect(texts(receiver.accept(first))).toEqual(["a"]);
    expect(receiver.accept(first)).toEqual([]);
    expect(texts(receiver.accept(second))).toEqual(["b"]);
  });

  test("an event past the limit is refused before it is whole", () => {
    const sender = new EventSender();
    sender.push(event(Buffer.alloc(MAX_EVENT + 40_000)));
    sender.push(event("behind"));
    const receiver = new EventReceiver();
    expect(() => {
      for (const message of all(sender)) expect(receiver.accept(message)).toEqual([]);
    }).toThrow(expect.objectContaining({ code: "PROTOCOL" }));
  });

  test("an event in pieces without bytes, or of a byte each, is refused before they fill the memory", () => {
    for (const length of [0, 1]) {
      const receiver = new EventReceiver();
      // Number 1, an event that goes on
      const piece = Uint8Array.of(0, 0, 0, 1, ItemKind.EVENT | 128, 0, length, ...Buffer.alloc(length));
      let taken = 0;
      const flood = () => {
        for (; taken < 10_000; taken++) receiver.accept(piece);
      };
      expect(flood).toThrow(expect.objectContaining({ code: "PROTOCOL" }));
      expect(taken).toBeLessThan(100);
    }
  });

  test("any bytes give items or PROTOCOL, nothing else", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), (messages) => {
        const receiver = new EventReceiver();
        try {
          for (const message of messages) receiver.accept(Uint8Array.of(0, 0, 0, 1, ...message));
          for (const message of messages) receiver.accept(message);
        } catch (error) {
          expect(error).toMatchObject({ code: "PROTOCOL" });
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("a message cut anywhere gives a prefix of its events or PROTOCOL", () => {
    const [message] = all(sending("one", "", "three"));
    for (let cut = 0; cut < message!.length; cut++) {
      let got: string[] = [];
      try {
        got = texts(new EventReceiver().accept(message!.subarray(0, cut)));
      } catch (error) {
        expect(error).toMatchObject({ code: "PROTOCOL" });
      }
      expect(["one", "", "three"].slice(0, got.length)).toEqual(got);
      expect(got.length).toBeLessThan(3);
    }
  });

  type Step =
    | { do: "emit"; size: number }
    | { do: "send" | "arrive" | "deliver" | "ack" }
    | { do: "lose"; told: boolean };
  const steps: fc.Arbitrary<Step[]> = fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant("emit" as const), size: fc.integer({ min: 0, max: 70_000 }) }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("send" as const, "arrive" as const) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("deliver" as const, "ack" as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("lose" as const), told: fc.boolean() }) },
    ),
    { maxLength: 120 },
  );

  test("each event is delivered once and in order, whatever is lost and sent again", () => {
    fc.assert(
      fc.property(steps, (script) => {
        const sender = new EventSender();
        const receiver = new EventReceiver();
        let pushed = 0;
        const sizes: number[] = [];
        // The two directions of the route: what is on its way is lost with it
        let up: Uint8Array[] = [];
        const waiting: StreamItem[] = [];
        const delivered: StreamItem[] = [];
        let freed = 0;
        let acknowledged = 0;
        let last = 0;
        const step = (s: Step) => {
          switch (s.do) {
            case "emit": {
              const body = Buffer.alloc(s.size + 4);
              body.writeUInt32BE(++pushed);
              sizes.push(body.length);
              sender.push(event(body));
              break;
            }
            case "send": {
              const message = sender.take();
              if (message) up.push(message);
              break;
            }
            case "arrive": {
              const message = up.shift();
              if (message) waiting.push(...receiver.accept(message));
              break;
            }
            case "deliver": {
              const item = waiting.shift();
              if (item) delivered.push(item);
              break;
            }
            case "ack":
              freed += sender.acknowledge(delivered.length);
              acknowledged = Math.max(acknowledged, delivered.length);
              break;
            case "lose":
              up = [];
              last = receiver.resume();
              // What the sender knows may be older: then there are duplicates
              freed += sender.resume(s.told ? last : acknowledged);
              acknowledged = Math.max(acknowledged, s.told ? last : 0);
          }
        };
        for (const s of script) step(s);
        // Whatever state that left: the rest comes through
        for (let message = sender.take(); message; message = sender.take()) up.push(message);
        while (up.length > 0) step({ do: "arrive" });
        while (waiting.length > 0) step({ do: "deliver" });
        step({ do: "ack" });
        expect(delivered.map(({ body }) => Buffer.from(body).readUInt32BE())).toEqual(
          Array.from({ length: pushed }, (_, index) => index + 1),
        );
        expect(delivered.map(({ body }) => body.length)).toEqual(sizes);
        expect(freed).toBe(sizes.reduce((sum, n) => sum + n + EVENT_COST, 0));
      }),
      { numRuns: 2000 },
    );
  });
});

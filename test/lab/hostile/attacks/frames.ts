/** What a node may say to those above it that it was not asked for, and in whose name. */
import { ItemKind } from "../../../../relay/event-stream.js";
import { MopError } from "../../../../transport/errors.js";
import type { Value } from "../../../../transport/types.js";
import { type FrameName, FrameType } from "../../../../transport/wire/constants.js";
import type { Frame } from "../../../../transport/wire/frame.js";
import { encodeGone } from "../../../../transport/wire/gone.js";
import { encodeProblem } from "../../../../transport/wire/problem.js";
import { decodeValue, encodeValue } from "../../../../transport/wire/value.js";
import { frameOf } from "../../../support/raw-peer.js";
import type { Attack, Double } from "../attack.js";

/** The honest site is reached first: its relay, and its host. */
const FAIR = 1;
const FAIR_HOST = 2;
/** What a terminal would obey: clear, title, bell, C1, bidi, a line of its own */
const COLOURS = "\u001b[2J\u001b]0;owned\u0007\u009b31m\u202eevil\u2066\r\nhost ok";

/** Says this as soon as it is there. */
const says = (make: (double: Double) => readonly Frame[]): Attack => ({
  begin(double) {
    double.did("said it");
    double.send(...make(double));
  },
});

const own =
  (name: FrameName, body: Value | Uint8Array, channel = 1) =>
  (double: Double) => [
    frameOf(name, {
      source: double.id,
      channel,
      body: body instanceof Uint8Array ? body : encodeValue(body),
    }),
  ];

/** Something once, when the first session was handed over. */
function atHandOff(
  act: (double: Double, channel: number, child: number) => readonly Frame[] | undefined,
): Attack {
  return {
    down(double, frame) {
      if (frame.type !== FrameType.CONTROL || !double.pipes.has(frame.channel)) return undefined;
      const { child } = double.pipes.get(frame.channel)!;
      double.did("was handed a session");
      return act(double, frame.channel, child!);
    },
  };
}

const refuses = (code: "HANDOFF_REFUSED" | "AUTH_REFUSED"): Attack =>
  atHandOff((double, channel) => {
    const body = encodeProblem(new MopError(code, "not with this one"));
    double.send(frameOf("RESET", { source: double.id, channel, body }));
    return [];
  });

const info = (double: Double): { [key: string]: Value } => ({
  protocol: 1,
  runtime: COLOURS,
  platform: COLOURS,
  arch: "x64",
  pid: 1,
  uid: 0,
  user: COLOURS,
  hostname: `${COLOURS}${double.id}`,
  key: new Uint8Array(32),
});

/** A message of a wing's events. */
export function events(
  first: number,
  ...items: readonly (readonly [kind: number, body: Uint8Array])[]
): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(first);
  return Buffer.concat([
    head,
    ...items.flatMap(([kind, body]) => [Buffer.of(kind, body.length >> 8, body.length & 255), body]),
  ]);
}

/** In the place of the first message of events. */
const firstEvents = (body: Uint8Array): Attack => {
  let said = false;
  return {
    up(double, frame) {
      if (said || frame.type !== FrameType.DATA || !double.wings.has(frame.channel)) return undefined;
      said = true;
      double.did("changed the events");
      return [{ ...frame, body }];
    },
  };
};

const silent = (but: readonly FrameName[]): Attack => ({
  up(double, frame) {
    if (but.some((name) => FrameType[name] === frame.type)) return undefined;
    double.did("said nothing");
    return [];
  },
});

export const FRAMES = {
  "opens a pipe on the controller": says((double) =>
    own("OPEN", ["pipe", { ...double.knows.vault, connectTimeoutMs: 1000, keep: false }])(double),
  ),
  "has the controller run a command": says((double) => [
    ...own("OPEN", ["spawn", null])(double),
    ...own("CONTROL", { type: "spawn", argv: ["touch", double.knows.canary], child: null, elevation: null })(
      double,
    ),
  ]),
  "runs a wing on the controller": says(
    own("OPEN", ["wing", { entry: "00", order: "", rest: 0, memoryMb: 1 }]),
  ),
  "calls the controller": says(own("CALL", ["stats", null, 0])),
  "asks for a signature": says(own("CALL", ["sign", { key: 0, data: Buffer.alloc(32) }, 0])),
  "cancels a call of the controller's": says(own("CANCEL", Buffer.alloc(0))),
  "answers as the honest relay": says(() => [
    frameOf("RESULT", { source: FAIR, channel: 1, body: encodeValue({ links: [] }) }),
  ]),
  "writes as the honest host": says(() => [
    frameOf("DATA", { source: FAIR_HOST, channel: 2, body: events(1, [ItemKind.RESULT, encodeValue(null)]) }),
  ]),
  "writes as the controller": says(() => [frameOf("DATA", { source: 0, destination: 0, channel: 1 })]),
  "orders the honest relay as the controller": says((double) => [
    frameOf("DATA", { source: 0, destination: FAIR, channel: 1, body: Buffer.from(double.knows.canary) }),
  ]),
  "writes to the honest host": says((double) => [
    frameOf("DATA", { source: double.id, destination: FAIR_HOST, channel: 1, body: Buffer.from("x") }),
  ]),
  "announces a node of its own": says(own("ROUTE", Buffer.from([0, 0, 0, 99]), 0)),
  "offers blobs upward": says(() => [
    frameOf("OFFER", { body: encodeValue([1, true, [0], Buffer.alloc(36, 1)]) }),
  ]),
  "says that the honest relay is gone": says(
    own("GONE", encodeGone(FAIR, new MopError("NODE_GONE", "so they say")), 0),
  ),
  "says hello twice": says((double) => [frameOf("HELLO", { body: encodeValue(info(double)) })]),
  "claims a frame of 4 GB": {
    begin(double) {
      double.did("claimed it");
      double.bytes(Buffer.from("5affffffff", "hex"));
      double.bytes(Buffer.alloc(1 << 20));
    },
  },
  "speaks no frames": {
    begin(double) {
      double.did("spoke");
      double.bytes(Buffer.from("HTTP/1.1 200 OK\r\n\r\n"));
    },
  },
  "grants more credit than there is": {
    down(double, frame) {
      if (frame.type !== FrameType.OPEN) return undefined;
      double.did("granted it");
      const body = Buffer.from([0xff, 0xff, 0xff, 0xff]);
      double.send(frameOf("WINDOW", { source: frame.destination, channel: frame.channel, body }));
      return undefined;
    },
  },
  "says hello in colours": {
    up(double, frame) {
      if (frame.type !== FrameType.HELLO) return undefined;
      double.did("said hello");
      return [{ ...frame, body: encodeValue(info(double)) }];
    },
  },
  "says goodbye in colours": says(() => [
    frameOf("BYE", { body: encodeProblem(new MopError("INTERNAL", COLOURS)) }),
  ]),
  "talks in colours": {
    begin(double) {
      double.did("talked");
      process.stderr.write(`${COLOURS}\n`);
    },
  },
  "reports a hand-off in nonsense": atHandOff((double, channel) => {
    double.send(
      frameOf("CONTROL", { source: double.id, channel, body: encodeValue({ type: "sign", data: "x" }) }),
    );
    return undefined;
  }),
  "answers a hand-off with one of its own": {
    down(double, frame) {
      if (frame.type !== FrameType.CONTROL || !double.pipes.has(frame.channel)) return undefined;
      double.did("handed it back");
      double.send({ ...frame, source: double.id, destination: 0 });
      return [];
    },
  },
  "listens to a password": atHandOff(() => undefined),
  "takes each session and says that it refused it": refuses("HANDOFF_REFUSED"),
  "takes each session and says that the login was refused": refuses("AUTH_REFUSED"),
  "asks for a session that stays end to end": {
    down(double, frame) {
      if (frame.type !== FrameType.OPEN || frame.destination !== double.id) return undefined;
      double.did("asked for it");
      const { channel } = frame;
      const say = (body: Value) =>
        double.send(frameOf("CONTROL", { source: double.id, channel, body: encodeValue(body) }));
      say({ type: "authenticated" });
      say({ type: "up", info: info(double) });
      return undefined;
    },
  },
  "reports on pipes that are not its own": {
    down(double, frame) {
      if (frame.type !== FrameType.OPEN) return undefined;
      double.did("reported");
      for (let channel = 1; channel < 200; channel++)
        if (![double.pipes, double.blobs, double.wings].some((own) => own.has(channel)))
          double.send(
            ...own("CONTROL", { type: "up", info: info(double) }, channel)(double),
            ...own("RESET", encodeProblem(new MopError("AUTH_REFUSED", "no")), channel)(double),
          );
      return undefined;
    },
  },
  "answers what nobody asked": says((double) =>
    [1001, 1002, 1003].flatMap((channel) => [
      ...own("RESULT", { a: 1 }, channel)(double),
      ...own("FAIL", encodeProblem(new MopError("CANCELLED", "no")), channel)(double),
      ...own("END", Buffer.alloc(0), channel)(double),
      ...own("DATA", Buffer.alloc(9), channel)(double),
    ]),
  ),
  "dies when it is given a session": atHandOff(() => process.exit(1)),
  "never says hello": silent([]),
  "falls silent behind its hello": silent(["HELLO"]),
  "asks for a blob of the honest site": says((double) => [
    frameOf("WANT", { body: encodeValue([0, Buffer.from(double.knows.blob, "hex")]) }),
  ]),
  "asks for blobs without end": says(() =>
    Array.from({ length: 20 }, () => frameOf("WANT", { body: encodeValue([0, Buffer.alloc(32 * 4096, 3)]) })),
  ),
  "asks for blobs in nonsense": says(() => [
    frameOf("WANT", { body: encodeValue([null, Buffer.alloc(31)]) }),
  ]),
  "lies about its links": {
    up(double, frame) {
      if (frame.type !== FrameType.RESULT) return undefined;
      double.did("lied");
      const links = [-1, Number.NaN, 1e308, COLOURS, null, []].flatMap((sent) =>
        [...double.pipes.values(), { child: FAIR_HOST }].map(({ child }) => ({
          child: child ?? 0,
          sent,
          received: sent,
        })),
      );
      return [{ ...frame, body: encodeValue({ links, rss: COLOURS }) }];
    },
  },
  "gives its host other blobs": {
    believes: true,
    down(double, frame) {
      if (frame.type !== FrameType.DATA || !double.blobs.has(frame.channel)) return undefined;
      double.did("changed a blob");
      const body = Buffer.from(frame.body);
      body[body.length >> 1]! ^= 1;
      return [{ ...frame, body }];
    },
  },
  "says that its host is done": {
    down(double, frame) {
      if (frame.type !== FrameType.OPEN || frame.destination === double.id) return undefined;
      const [kind] = decodeValue(frame.body) as [string];
      if (kind !== "wing") return undefined;
      double.did("answered for its host");
      const body = events(1, [ItemKind.RESULT, encodeValue({ kind: "role", status: "ok", error: null })]);
      double.send(frameOf("DATA", { source: frame.destination, channel: frame.channel, body }));
      return [];
    },
  },
  "answers as the relay before it": says((double) => [
    frameOf("RESULT", { source: double.id - 1, channel: 1, body: encodeValue({ links: [] }) }),
  ]),
  "writes as the host behind it": says((double) => [
    frameOf("DATA", { source: double.id + 1, channel: 1, body: Buffer.from("x") }),
  ]),
  "tells its host nothing": {
    down(double, frame) {
      if (frame.type !== FrameType.OPEN || frame.destination === double.id) return undefined;
      double.did("swallowed an order");
      return [];
    },
  },
  "numbers events wrongly": firstEvents(
    events(7, [ItemKind.EVENT, encodeValue({ event: "notice", text: "x" })]),
  ),
  "sends half an event": firstEvents(Buffer.from([0, 0, 0, 1, 0, 255, 255, 1])),
  "sends events that are none": firstEvents(
    events(1, [ItemKind.EVENT, encodeValue({ event: "exec", argv: ["touch"] })]),
  ),
  "sends a result that is none": firstEvents(
    events(1, [ItemKind.RESULT, encodeValue({ kind: "call", value: 1 })]),
  ),
  "sends events in colours": firstEvents(
    events(
      1,
      [ItemKind.EVENT, encodeValue({ event: "notice", text: COLOURS })],
      [ItemKind.EVENT, encodeValue({ event: "output", role: "web", stream: "stdout", text: COLOURS })],
      [
        ItemKind.EVENT,
        encodeValue({
          event: "resource",
          host: "fair-host",
          role: "x",
          type: COLOURS,
          name: COLOURS,
          status: "ok",
          changes: [COLOURS],
          ms: -1,
        }),
      ],
      [ItemKind.FAILURE, encodeProblem(new MopError("WING_FAILED", COLOURS))],
    ),
  ),
  "fetches what no role asked for": firstEvents(
    events(1, [
      ItemKind.EVENT,
      encodeValue({
        event: "fetch",
        folder: "..",
        path: "/../../canary",
        size: 1,
        hash: "0".repeat(64),
        offset: 0,
        bytes: Buffer.of(1),
      }),
    ]),
  ),
} satisfies Record<string, Attack>;

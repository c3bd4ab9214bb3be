/** More of everything than anyone can use: each for some seconds or some ten megabytes, as fast as it is taken. */
import { ItemKind } from "../../../../relay/event-stream.js";
import { FrameType, WindowFlag } from "../../../../transport/wire/constants.js";
import { encodeFrame, type Frame } from "../../../../transport/wire/frame.js";
import { encodeValue } from "../../../../transport/wire/value.js";
import { frameOf } from "../../../support/raw-peer.js";
import type { Attack, Double } from "../attack.js";
import { events } from "./frames.js";

const BYTES = 48 << 20;
const MS = 3000;

async function pour(double: Double, make: () => readonly Frame[]): Promise<void> {
  const end = performance.now() + MS;
  let sent = 0;
  // Whoever is cut off may not come to the end
  double.did("pours");
  while (sent < BYTES && performance.now() < end) {
    const bytes = Buffer.concat(make().map(encodeFrame));
    double.bytes(bytes);
    sent += bytes.length;
    await double.drained();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const many = (frame: Frame, bytes = 64 * 1024): readonly Frame[] =>
  Array.from({ length: Math.max(1, Math.floor(bytes / (frame.body.length + 16))) }, () => frame);

const floods = (make: (double: Double) => readonly Frame[]): Attack => ({
  begin(double) {
    const frames = make(double);
    void pour(double, () => frames);
  },
});

/** On the first channel that was opened to this node. */
const onChannel = (make: (double: Double, channel: number, source: number) => readonly Frame[]): Attack => {
  let begun = false;
  return {
    down(double, frame) {
      if (begun || frame.type !== FrameType.OPEN) return undefined;
      begun = true;
      const frames = make(double, frame.channel, frame.destination);
      void pour(double, () => frames);
      return undefined;
    },
  };
};

export const FLOODS = {
  "asks for pongs without end": floods(() => many(frameOf("PING", { body: Buffer.alloc(4) }))),
  "answers without end": floods((double) =>
    many(frameOf("RESULT", { source: double.id, channel: 77, body: encodeValue("x".repeat(200_000)) })),
  ),
  "asks for echoes without end": onChannel((_double, channel, source) =>
    many({ ...frameOf("WINDOW", { source, channel, body: Buffer.alloc(4) }), flags: WindowFlag.PROBE }),
  ),
  "sends past its credit": onChannel((_double, channel, source) =>
    many(frameOf("DATA", { source, channel, body: Buffer.alloc(60_000, 7) }), 1 << 20),
  ),
  "sends empty messages past its credit": onChannel((_double, channel, source) =>
    many(frameOf("CONTROL", { source, channel, body: Buffer.alloc(0) })),
  ),
  "asks for blobs that it has, without end": floods((double) =>
    many(frameOf("WANT", { body: encodeValue([0, Buffer.from(double.knows.blob, "hex")]) })),
  ),
  "talks on stderr without end": {
    begin(double) {
      double.did("talks");
      const line = `${"talk ".repeat(200)}\n`.repeat(60);
      const end = performance.now() + MS;
      let said = 0;
      const talk = () => {
        if (said > BYTES || performance.now() > end) return;
        said += line.length;
        if (process.stderr.write(line)) setImmediate(talk);
        else process.stderr.once("drain", talk);
      };
      talk();
    },
  },
  /** Within its credit, as a role that prints without end would: nobody can tell them apart */
  "sends events without end": {
    down(double, frame) {
      if (frame.type === FrameType.OPEN && double.wings.has(frame.channel)) {
        const item = encodeValue({ event: "output", role: "web", stream: "stdout", text: "x".repeat(900) });
        const source = frame.destination;
        const { channel } = frame;
        let next = 1;
        let credit = 200_000;
        grants = (more) => {
          credit += more;
        };
        const end = performance.now() + MS;
        const talk = () => {
          if (performance.now() > end) {
            const result = encodeValue({ kind: "role", status: "ok", error: null });
            double.send(frameOf("DATA", { source, channel, body: events(next, [ItemKind.RESULT, result]) }));
            double.did(`sent ${next} events`);
            return;
          }
          for (let i = 0; i < 20 && credit > 1000; i++) {
            const body = events(next++, [ItemKind.EVENT, item]);
            credit -= body.length + 16;
            double.send(frameOf("DATA", { source, channel, body }));
          }
          void double.drained().then(() => setTimeout(talk, 1));
        };
        talk();
      }
      if (frame.type === FrameType.WINDOW && double.wings.has(frame.channel))
        grants(Buffer.from(frame.body).readUInt32BE(0));
      // Its host, or its own core, hears nothing of it
      return double.wings.has(frame.channel) ? [] : undefined;
    },
  },
} satisfies Record<string, Attack>;

let grants: (credit: number) => void = () => {};

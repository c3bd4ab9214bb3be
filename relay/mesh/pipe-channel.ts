import { Duplex } from "node:stream";
import { asMopError, type MopError } from "../../transport/errors.js";
import type { Channel, Endpoint, NodeId, Value } from "../../transport/types.js";
import { encodeValue } from "../../transport/wire/value.js";
import type { AdoptOrder, AdoptReport, PipeOrder } from "../orders.js";
import { encodeSessionState } from "../session/state.js";
import { reportsOf } from "./adopt-report.js";

/** Bytes of one message on the channel. */
const PIECE = 32 * 1024;

/** A TCP connection that a node opened for us, as a pipe. */
export interface PipeChannel {
  readonly pipe: Duplex;
  /** Bytes written to and read from the pipe */
  readonly sent: number;
  readonly received: number;
  /** Why the channel ended, once it did and every report was told; undefined after a clean end. Never rejects. */
  readonly closed: Promise<MopError | undefined>;
  /**
   * Hands the session on this pipe to the node, behind all that was written; nothing passes through the pipe from then
   * on. The state's keys are overwritten here. `onReport` learns how it goes there.
   */
  adopt(order: AdoptOrder, onReport: (report: AdoptReport) => void): Promise<void>;
  reset(): void;
}

export function openPipeChannel(
  endpoint: Endpoint,
  { id, name }: { readonly id: NodeId; readonly name: string },
  order: PipeOrder,
): PipeChannel {
  const channel = endpoint.open(id, "pipe", { ...order });
  const reports = reportsOf(name);
  let sent = 0;
  let received = 0;
  let handed = false;
  let dropped = false;
  let report: (message: AdoptReport) => void = () => {};
  let wanted: (() => void) | undefined;

  const send = async (chunk: Buffer) => {
    sent += chunk.length;
    const pieces: Promise<void>[] = [];
    for (let at = 0; at < chunk.length; at += PIECE)
      pieces.push(channel.write(chunk.subarray(at, at + PIECE)));
    await Promise.all(pieces);
  };
  const pipe = new Duplex({
    highWaterMark: 1 << 16,
    read() {
      wanted?.();
      wanted = undefined;
    },
    write(chunk: Buffer, _encoding, done) {
      send(chunk).then(() => done(), done);
    },
    writev(chunks, done) {
      send(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer))).then(() => done(), done);
    },
    final(done) {
      if (!handed) channel.end();
      done();
    },
    destroy(error, done) {
      if (!handed) {
        dropped = true;
        channel.reset("CANCELLED", "the pipe was closed");
      }
      wanted?.();
      done(error);
    },
  });
  pipe.on("error", () => {});

  const reading = receive(channel);
  async function receive({ receive }: Channel): Promise<void> {
    try {
      for await (const { type, body } of receive.call(channel)) {
        if (type === "control") report(reports.read(body));
        else if (!handed && !pipe.destroyed) {
          received += body.length;
          if (!pipe.push(body))
            await new Promise<void>((resolve) => {
              wanted = resolve;
            });
        }
      }
      if (!handed) pipe.push(null);
    } catch (thrown) {
      const error = asMopError(thrown, "LINK_LOST");
      // Nothing, where it was the channel's own end: else nobody would hear of what is wrong
      channel.reset(error.code, error.message);
      if (!handed) pipe.destroy(error);
    }
  }

  return {
    pipe,
    get sent() {
      return sent;
    },
    get received() {
      return received;
    },
    // Whoever destroyed the pipe knows better why
    closed: channel.closed.then(async (error) => {
      // What was reported before the end counts first
      if (handed) await reading;
      return reports.broken ?? (dropped ? undefined : error);
    }),
    async adopt(adoption, onReport) {
      // Behind what the pipe itself still holds
      await new Promise<void>((resolve, reject) => {
        pipe.write(Buffer.alloc(0), (error) => (error ? reject(error) : resolve()));
      });
      handed = true;
      wanted?.();
      report = onReport;
      const body = encodeValue({
        ...adoption,
        session: encodeSessionState(adoption.session),
        child: { ...adoption.child },
        elevation: adoption.elevation && { ...adoption.elevation },
      } as unknown as Value);
      const { outbound, inbound } = adoption.session;
      for (const { key, iv, macKey } of [outbound, inbound])
        for (const secret of [key, iv, macKey]) secret?.fill(0);
      adoption.elevation?.secret.fill(0);
      try {
        await channel.control(body);
      } finally {
        // It left as a copy, in one piece with its frame's head
        body.fill(0);
      }
    },
    reset: () => channel.reset("CANCELLED", "the pipe was given up"),
  };
}

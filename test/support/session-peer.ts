/** A server without a socket for relay/session: it seals and opens packets with the other side's keys. */
import { randomBytes } from "node:crypto";
import { Duplex } from "node:stream";
import { type AdoptedSession, type AdoptOptions, adoptSession } from "../../relay/session/adopt.js";
import { keyShape } from "../../relay/session/algorithms.js";
import { message, NEWKEYS, readFields } from "../../relay/session/messages.js";
import { createPacketReader, createPacketWriter } from "../../relay/session/packets.js";
import {
  type DirectionState,
  HANDOFF_CIPHERS,
  HANDOFF_MACS,
  type HandoffCipher,
  type HandoffMac,
  type SessionState,
} from "../../transport/session-state.js";

export type Suite = readonly [HandoffCipher, HandoffMac | null];
/** Every cipher with every MAC that goes with it. */
export const SUITES: readonly Suite[] = HANDOFF_CIPHERS.flatMap((cipher): Suite[] =>
  cipher.includes("gcm") ? [[cipher, null]] : HANDOFF_MACS.map((mac): Suite => [cipher, mac]),
);

export function freshDirection(
  cipher: HandoffCipher,
  mac: HandoffMac | null,
  counters: Partial<DirectionState> = {},
): DirectionState {
  const shape = keyShape(cipher, mac);
  return {
    cipher,
    mac,
    key: randomBytes(shape.key),
    iv: randomBytes(shape.iv),
    macKey: mac && randomBytes(shape.macKey),
    sequence: 7,
    bytes: 1000,
    ...counters,
  };
}

export function freshState(
  [cipher, mac]: Suite = ["aes128-gcm@openssh.com", null],
  over: Partial<SessionState> = {},
): SessionState {
  return {
    version: 1,
    outbound: freshDirection(cipher, mac),
    inbound: freshDirection(cipher, mac),
    rekey: {
      sessionId: randomBytes(32),
      clientIdent: Buffer.from("SSH-2.0-mop"),
      serverIdent: Buffer.from("SSH-2.0-lab"),
      hostKey: Buffer.concat([message(0, "ssh-ed25519", randomBytes(32)).subarray(1)]),
      kex: "curve25519-sha256",
      hostKeyAlgorithm: "ssh-ed25519",
      strict: true,
    },
    consumed: 3000,
    phase: "authenticated",
    ...over,
  };
}

export const copyOf = (direction: DirectionState): DirectionState => ({
  ...direction,
  key: Buffer.from(direction.key),
  iv: Buffer.from(direction.iv),
  macKey: direction.macKey && Buffer.from(direction.macKey),
});

export interface Peer {
  readonly session: AdoptedSession;
  /** The relay's end of the pipe */
  readonly pipe: Duplex;
  /** Payloads that came from the relay and were not taken yet */
  readonly received: Buffer[];
  /** The server's keys: what it sends and receives with */
  readonly writer: ReturnType<typeof createPacketWriter>;
  readonly reader: ReturnType<typeof createPacketReader>;
  /** Sends payloads in one piece. */
  send(...payloads: Buffer[]): void;
  /** Sends bytes as they are. */
  raw(bytes: Uint8Array): void;
  /** The server's end of the stream. */
  end(): void;
  /** The next message from the relay; its number is checked. */
  next(type: number): Promise<ReturnType<typeof readFields>>;
  /** As `next`, with the whole payload. */
  take(type: number): Promise<{ readonly payload: Buffer; readonly fields: ReturnType<typeof readFields> }>;
  /** Reads on behind the relay's NEWKEYS. */
  resume(): void;
  /** While true the server reads nothing, so that the relay's writes pile up. */
  stall(on: boolean): void;
}

export const settle = () => new Promise((resolve) => setImmediate(resolve));

/** An adopted session and the server that it talks to. `replay`: payloads that came before the adoption. */
export function createPeer(
  state = freshState(),
  options: Partial<AdoptOptions> & { readonly replay?: readonly Buffer[] } = {},
): Peer {
  const writer = createPacketWriter(copyOf(state.inbound));
  const reader = createPacketReader(copyOf(state.outbound));
  const received: Buffer[] = [];
  let held: (() => void)[] = [];
  let stalled = false;
  const sealed = (payloads: readonly Buffer[]) =>
    Buffer.concat(payloads.flatMap((payload) => writer.seal(payload)));
  // What follows NEWKEYS can be read when the test has put the new keys into use, and calls `resume`
  let paused = false;
  const pump = () => {
    while (!paused) {
      const payload = reader.next();
      if (!payload) return;
      received.push(payload);
      paused = payload[0] === NEWKEYS;
    }
  };
  const pipe = new Duplex({
    highWaterMark: 65536,
    read() {},
    write(chunk: Buffer, _encoding, done) {
      const take = () => {
        reader.push(Buffer.from(chunk));
        pump();
        done();
      };
      if (stalled) held.push(take);
      else take();
    },
  });
  const session = adoptSession(pipe, sealed(options.replay ?? []), state, { name: "web1", ...options });
  return {
    session,
    pipe,
    received,
    writer,
    reader,
    send: (...payloads) => void pipe.push(sealed(payloads)),
    raw: (bytes) => void pipe.push(bytes),
    end: () => void pipe.push(null),
    resume() {
      paused = false;
      pump();
    },
    stall(on) {
      stalled = on;
      const waiting = held;
      held = [];
      if (!on) for (const take of waiting) take();
    },
    take,
    next: async (type) => (await take(type)).fields,
  };

  async function take(type: number) {
    for (let i = 0; received.length === 0; i++) {
      if (i > 1000) throw new Error(`no message ${type} came`);
      await settle();
    }
    const payload = received.shift()!;
    if (payload[0] !== type) throw new Error(`message ${payload[0]} came, not ${type}`);
    return { payload, fields: readFields(payload) };
  }
}

import { MopError } from "../../transport/errors.js";
import type { DirectionState, SessionState } from "../../transport/session-state.js";
import {
  broken,
  DISCONNECT,
  ECDH_REPLY,
  EXT_INFO,
  KEXINIT,
  NEWKEYS,
  outOfPlace,
  peerText,
  readFields,
} from "./messages.js";
import { createPacketReader, createPacketWriter } from "./packets.js";
import { createKeyExchange, type KeyExchange } from "./rekey.js";
import { wipeKeys } from "./state.js";

/**
 * New keys are asked for past this many bytes under the old ones, in either direction. RFC 4344's bound of 2^31 packets
 * lies far behind it.
 */
const REKEY_BYTES = 2 ** 30;
/** Messages that may wait for a key exchange to end, in bytes: a server that asks and asks meanwhile is cut off. */
const MAX_HELD = 1 << 20;
/** What a held message costs beside its content */
const HELD_COST = 100;

/** A session's transport layer (RFC 4253): payloads in and out of packets, keys renewed on the way. */
export interface Transport {
  /** Sends a payload; waits for the end of a key exchange that is under way. */
  send(payload: Buffer): void;
  /** Takes the server's bytes in pieces of any size. Throws MopError where the session can't go on. */
  receive(chunk: Uint8Array): void;
  /** During a key exchange nothing but its messages leaves. */
  readonly rekeying: boolean;
  /** Sequence number of the packet that was received last */
  readonly received: number;
  /** Overwrites the keys; nothing can be sent or received afterwards. */
  wipe(): void;
}

export interface TransportEvents {
  write(bytes: Buffer): void;
  payload(payload: Buffer): void;
  /** A key exchange has ended: what held back may go on. */
  rekeyed(): void;
}

export function createTransport(
  state: SessionState,
  events: TransportEvents,
  rekeyBytes = REKEY_BYTES,
): Transport {
  const writer = createPacketWriter(state.outbound);
  const reader = createPacketReader(state.inbound);
  let exchange: KeyExchange | undefined;
  let inbound: DirectionState | undefined;
  let held: Buffer[] = [];
  let heldBytes = 0;

  const put = (payload: Buffer) => writer.seal(payload).forEach(events.write);
  const begin = () => {
    exchange = createKeyExchange(state);
    put(exchange.offer);
    return exchange;
  };
  /** Sequence numbers go on across a rekey, unless both sides are strict (OpenSSH's PROTOCOL, 1.10). */
  const from = (keys: DirectionState, sequence: number) => ({
    ...keys,
    sequence: state.rekey.strict ? 0 : sequence,
  });

  function send(payload: Buffer): void {
    // RFC 4253, 7.1: from KEXINIT to NEWKEYS only transport and key exchange messages
    if (exchange && payload[0]! >= 50) {
      heldBytes += HELD_COST + payload.length;
      if (heldBytes > MAX_HELD) throw broken("the server keeps asking and doesn't listen");
      held.push(payload);
      return;
    }
    put(payload);
    if (!exchange && Math.max(writer.bytes, reader.bytes) > rekeyBytes) begin();
  }

  function take(payload: Buffer): void {
    const type = payload[0]!;
    if (type === KEXINIT) {
      const current = exchange ?? begin();
      put(current.begin(payload));
    } else if (type === ECDH_REPLY) {
      if (!exchange) throw outOfPlace(type);
      const keys = exchange.finish(payload);
      put(Buffer.of(NEWKEYS));
      writer.use(from(keys.outbound, writer.sequence));
      inbound = keys.inbound;
    } else if (type === NEWKEYS) {
      if (!inbound) throw outOfPlace(type);
      reader.use(from(inbound, reader.sequence));
      exchange = inbound = undefined;
      const waiting = held;
      held = [];
      heldBytes = 0;
      waiting.forEach(send);
      events.rekeyed();
    } else if (type === DISCONNECT) {
      const fields = readFields(payload, 5);
      throw new MopError("SSH_DISCONNECTED", `the server ended the session: ${peerText(fields.text())}`);
    } else if (type >= 50) events.payload(payload);
    // 2 to 7: IGNORE, UNIMPLEMENTED, DEBUG, SERVICE_ACCEPT and EXT_INFO want nothing
    else if (type > EXT_INFO || type === 5) throw outOfPlace(type);
  }

  return {
    send,
    receive(chunk) {
      reader.push(chunk);
      for (let payload = reader.next(); payload; payload = reader.next()) take(payload);
    },
    get rekeying() {
      return exchange !== undefined;
    },
    get received() {
      return (reader.sequence - 1) >>> 0;
    },
    wipe() {
      writer.wipe();
      reader.wipe();
      wipeKeys(inbound);
    },
  };
}

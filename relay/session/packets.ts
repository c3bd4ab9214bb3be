import {
  type CipherGCM,
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createHmac,
  type DecipherGCM,
  randomFillSync,
  timingSafeEqual,
} from "node:crypto";
import type { DirectionState } from "../../transport/session-state.js";
import { type KeyShape, keyShape, macHash, opensslCipher } from "./algorithms.js";
import { broken, uint32 } from "./messages.js";
import { wipeKeys } from "./state.js";

/** Longest packet that is taken, in bytes without the length field: OpenSSH's own limit; RFC 4253, 6.1 asks for 35,000. */
export const MAX_PACKET_LENGTH = 256 * 1024;
/** Pieces of an unfinished packet past which they are joined: a server that sends byte by byte must not cost a hundred each. */
const MAX_PIECES = 64;
/** AES's block: a packet's length behind the length field is a multiple of it with GCM and ETM alike. */
const BLOCK = 16;
const MIN_PADDING = 4;

/** What both directions count, as it stands for the next packet. */
interface Counters {
  /** Packet sequence number, uint32 */
  sequence: number;
  /** Bytes under the keys in use */
  bytes: number;
}

/** Turns payloads into packets of RFC 4253, 6. */
export interface PacketWriter extends Readonly<Counters> {
  /** The packet in three pieces, to be sent in this order: length, body, tag or MAC. Nothing after `wipe`. */
  seal(payload: Uint8Array): readonly Buffer[];
  /** Goes on with other keys; the earlier ones are overwritten. */
  use(state: DirectionState): void;
  wipe(): void;
}

/** Turns the server's bytes into payloads, whatever the pieces they come in. */
export interface PacketReader extends Readonly<Counters> {
  push(chunk: Uint8Array): void;
  /** The next whole packet's payload; undefined until more bytes come. Throws SSH_PROTOCOL at a length out of range or a wrong tag. */
  next(): Buffer | undefined;
  /** As `PacketWriter.use`, from the next packet on. */
  use(state: DirectionState): void;
  wipe(): void;
}

/** Takes the big-endian invocation counter behind a GCM IV's 4 fixed bytes one further (RFC 5647, 7.1). */
function advance(iv: Uint8Array): void {
  for (let i = 11; i > 3; i--) {
    iv[i] = (iv[i]! + 1) & 255;
    if (iv[i] !== 0) return;
  }
}

/** One direction's keys in use: with CTR a running stream, with GCM a cipher is made for each packet. */
interface Direction<Stream> extends Counters {
  state: DirectionState | undefined;
  stream: Stream | undefined;
  shape: KeyShape;
  use(state: DirectionState): void;
  wipe(): void;
  /** The MAC over the parts of the packet that comes next */
  mac(...parts: readonly Uint8Array[]): Buffer;
  /** A packet of this size was sealed or opened */
  count(bytes: number): void;
}

function direction<Stream>(
  initial: DirectionState,
  start: (algorithm: string, key: Uint8Array, iv: Uint8Array) => Stream,
): Direction<Stream> {
  const self: Direction<Stream> = {
    sequence: 0,
    bytes: 0,
    state: undefined,
    stream: undefined,
    shape: keyShape(initial.cipher, initial.mac),
    wipe() {
      wipeKeys(self.state);
      self.state = self.stream = undefined;
    },
    use(state) {
      self.wipe();
      self.state = state;
      self.sequence = state.sequence;
      self.bytes = state.bytes;
      if (state.mac) self.stream = start(opensslCipher(state.cipher), state.key, state.iv);
    },
    mac(...parts) {
      const hmac = createHmac(macHash(self.state!.mac!), self.state!.macKey!).update(uint32(self.sequence));
      for (const part of parts) hmac.update(part);
      return hmac.digest();
    },
    count(bytes) {
      self.sequence = (self.sequence + 1) >>> 0;
      self.bytes += bytes;
      if (self.state && !self.stream) advance(self.state.iv);
    },
  };
  self.use(initial);
  return self;
}

const outOfRange = () => broken("an SSH packet's length is out of range");
const gcmCipher = ({ cipher }: DirectionState) => opensslCipher(cipher) as CipherGCMTypes;

export function createPacketWriter(initial: DirectionState): PacketWriter {
  const self = direction(initial, createCipheriv);
  return Object.assign(self, {
    seal(payload: Uint8Array) {
      const { state, stream, shape } = self;
      if (!state) return [];
      const size = 5 + payload.length;
      let padding = BLOCK - ((size - shape.clear) % BLOCK);
      if (padding < MIN_PADDING) padding += BLOCK;
      const packet = Buffer.allocUnsafe(size + padding);
      packet.writeUInt32BE(packet.length - 4);
      packet[4] = padding;
      packet.set(payload, 5);
      randomFillSync(packet, size);
      const head = packet.subarray(0, shape.clear);
      const plain = packet.subarray(shape.clear);
      let body: Buffer;
      let tag: Buffer;
      if (stream) {
        body = stream.update(plain);
        tag = shape.clear ? self.mac(head, body) : self.mac(packet);
      } else {
        const gcm = createCipheriv(gcmCipher(state), state.key, state.iv) as CipherGCM;
        gcm.setAAD(head);
        body = gcm.update(plain);
        gcm.final();
        tag = gcm.getAuthTag();
      }
      self.count(packet.length);
      return [head, body, tag];
    },
  });
}

export function createPacketReader(initial: DirectionState): PacketReader {
  const self = direction(initial, createDecipheriv);
  let chunks: Buffer[] = [];
  let have = 0;
  // The packet's beginning in clear, its length in front; undefined until that much has come
  let head: Buffer | undefined;
  let need = 0;
  return Object.assign(self, {
    push(chunk: Uint8Array) {
      if (chunk.length > 0) chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
      if (chunks.length > MAX_PIECES) chunks = [Buffer.concat(chunks)];
      have += chunk.length;
    },
    next() {
      const { state, stream, shape } = self;
      const first = shape.clear || BLOCK;
      if (!state || have < (need || first)) return undefined;
      const all = chunks.length > 1 ? Buffer.concat(chunks) : chunks[0]!;
      chunks = [all];
      head ??= shape.clear ? all.subarray(0, first) : stream!.update(all.subarray(0, first));
      const length = head.readUInt32BE(0);
      const tagAt = 4 + length;
      if (length > MAX_PACKET_LENGTH || tagAt < BLOCK || (tagAt - shape.clear) % BLOCK !== 0)
        throw outOfRange();
      need = tagAt + shape.tag;
      if (have < need) return undefined;
      have -= need;
      chunks = have > 0 ? [all.subarray(need)] : [];
      const rest = all.subarray(first, tagAt);
      const tag = all.subarray(tagAt, need);
      let plain: Buffer;
      let intact = true;
      if (stream) {
        if (shape.clear) {
          intact = timingSafeEqual(self.mac(head, rest), tag);
          plain = stream.update(rest);
        } else {
          plain = stream.update(rest);
          intact = timingSafeEqual(self.mac(head, plain), tag);
          plain = Buffer.concat([head.subarray(4), plain]);
        }
      } else {
        const gcm = createDecipheriv(gcmCipher(state), state.key, state.iv) as DecipherGCM;
        gcm.setAAD(head);
        gcm.setAuthTag(tag);
        plain = gcm.update(rest);
        try {
          gcm.final();
        } catch {
          intact = false;
        }
      }
      if (!intact)
        throw broken(
          "an SSH packet failed its integrity check: it was altered, or the session's state is wrong",
        );
      self.count(tagAt);
      head = undefined;
      need = 0;
      const padding = plain[0]!;
      if (padding < MIN_PADDING || padding + 2 > length) throw outOfRange();
      return plain.subarray(1, length - padding);
    },
  });
}

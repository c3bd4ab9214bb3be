import { MopError } from "../errors.js";

/** ssh2 takes no packet longer than this (its limit on the length field). */
const MAX_PACKET = 35_000;
/** RFC 4253, 4.2: lines before the identification are allowed; these bounds are ssh2's. */
const MAX_LINE = 8192;
const MAX_LINES = 1024;

/** How the border of the next packet shows under the keys in force. */
export interface PacketShape {
  /** Bytes that must be there before the length can be read */
  readonly head: number;
  /** Bytes behind what the length counts: tag or MAC */
  readonly tail: number;
  /** The packet's length field (RFC 4253, 6), read from its first `head` bytes */
  length(head: Buffer): number;
}

export const CLEAR: PacketShape = { head: 4, tail: 0, length: (head) => head.readUInt32BE(0) };

/**
 * Cuts the raw bytes of a server into its identification and whole packets, and counts what was taken: a session can
 * be exported at any point, since nothing behind the border has been touched.
 */
export class PacketFramer {
  #buffer: Buffer = Buffer.alloc(0);
  #consumed = 0;
  #lines = 0;

  /** Raw bytes taken so far: lines and whole packets */
  get consumed(): number {
    return this.#consumed;
  }

  push(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
  }

  /** The server's identification without CR LF; undefined when it isn't there yet. Lines before it are dropped. */
  identification(): string | undefined {
    for (;;) {
      const end = this.#buffer.indexOf(10);
      if (end > MAX_LINE || (end < 0 && this.#buffer.length > MAX_LINE) || this.#lines > MAX_LINES)
        throw new MopError("SSH_PROTOCOL", "the server sends too much text before its SSH identification");
      if (end < 0) return undefined;
      const line = this.#take(end + 1)
        .toString("latin1")
        .replace(/\r?\n$/, "");
      this.#lines++;
      if (!line.startsWith("SSH-")) continue;
      if (!/^SSH-(2\.0|1\.99)-[^ ]/.test(line))
        throw new MopError("SSH_PROTOCOL", `the server speaks another version of SSH: ${line.slice(0, 80)}`);
      return line;
    }
  }

  /** The next whole packet with its tail; undefined when it isn't there yet. */
  packet(shape: PacketShape): Buffer | undefined {
    if (this.#buffer.length < shape.head) return undefined;
    const length = shape.length(this.#buffer.subarray(0, shape.head));
    if (length < 5 || length > MAX_PACKET)
      throw new MopError("SSH_PROTOCOL", "the server sent a packet of impossible length");
    const whole = 4 + length + shape.tail;
    return this.#buffer.length < whole ? undefined : this.#take(whole);
  }

  #take(bytes: number): Buffer {
    const taken = this.#buffer.subarray(0, bytes);
    this.#buffer = this.#buffer.subarray(bytes);
    this.#consumed += bytes;
    return taken;
  }
}

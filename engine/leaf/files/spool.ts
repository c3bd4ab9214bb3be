import { createHash, randomBytes } from "node:crypto";
import { constants, existsSync } from "node:fs";
import { type FileHandle, open, unlink } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { refuse, throwIfAborted } from "../errors.js";

/** More than this is kept on the disk */
const IN_MEMORY = 4 * 1024 * 1024;
const PIECE = 256 * 1024;

/** Where large things lie for a while: not in memory, as /tmp often does. */
export const spoolFolder = (): string =>
  process.env.TMPDIR || (existsSync("/var/tmp") ? "/var/tmp" : os.tmpdir());

/**
 * Bytes that can be read several times. What is too large for the memory lies in a file that has no name any more: it
 * is gone with whoever holds it, whatever happens.
 */
export class Spool {
  readonly size: number;
  /** SHA-256, hex */
  readonly hash: string;
  readonly #bytes: Buffer | undefined;
  readonly #handle: FileHandle | undefined;

  private constructor(size: number, hash: string, kept: Buffer | FileHandle) {
    this.size = size;
    this.hash = hash;
    this.#bytes = Buffer.isBuffer(kept) ? kept : undefined;
    this.#handle = Buffer.isBuffer(kept) ? undefined : kept;
  }

  static async from(content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Spool> {
    const hash = createHash("sha256");
    let waiting: Uint8Array[] = [];
    let size = 0;
    let handle: FileHandle | undefined;
    try {
      for await (const piece of content) {
        throwIfAborted(signal);
        hash.update(piece);
        size += piece.length;
        waiting.push(piece);
        if (size <= IN_MEMORY) continue;
        handle ??= await nameless();
        for (const part of waiting) await handle.appendFile(part);
        waiting = [];
      }
    } catch (error) {
      await handle?.close();
      throw error;
    }
    return new Spool(size, hash.digest("hex"), handle ?? Buffer.concat(waiting));
  }

  async read(at: number, length: number): Promise<Buffer> {
    const end = Math.min(this.size, at + length);
    if (this.#bytes) return this.#bytes.subarray(at, end);
    const bytes = Buffer.alloc(Math.max(0, end - at));
    for (let filled = 0; filled < bytes.length; ) {
      const { bytesRead } = await this.#handle!.read(bytes, filled, bytes.length - filled, at + filled);
      if (bytesRead === 0) throw new Error("a temporary file became shorter");
      filled += bytesRead;
    }
    return bytes;
  }

  async *stream(from = 0, to = this.size): AsyncGenerator<Uint8Array> {
    for (let at = from; at < to; at += PIECE) yield await this.read(at, Math.min(PIECE, to - at));
  }

  async close(): Promise<void> {
    await this.#handle?.close();
  }
}

async function nameless(): Promise<FileHandle> {
  const at = path.join(spoolFolder(), `mop-${randomBytes(9).toString("hex")}`);
  try {
    const handle = await open(at, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
    await unlink(at);
    return handle;
  } catch (error) {
    throw refuse(`no temporary file can be made in ${path.dirname(at)}`, error);
  }
}

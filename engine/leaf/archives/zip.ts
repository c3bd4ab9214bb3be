import { Readable } from "node:stream";
import { createInflateRaw } from "node:zlib";
import { Refusal } from "../errors.js";
import type { Spool } from "../files/spool.js";
import { type ArchiveEntry, nothing } from "./entry.js";

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_SIZE = 22;
/** A comment may stand behind the end's record */
const MAX_COMMENT = 0xffff;
const TOO_LARGE = 0xffffffff;
const MADE_ON_UNIX = 3;

const damaged = (why: string): Refusal => new Refusal(`the archive is damaged: ${why}`);

export const isZip = (head: Buffer): boolean =>
  head.length >= 4 && [LOCAL, END].includes(head.readUInt32LE(0));

/** Entries of a zip archive, stored or deflated; no zip64, no passwords. */
export async function readZip(spool: Spool): Promise<ArchiveEntry[]> {
  const { count, at, size } = await directoryOf(spool);
  const bytes = await spool.read(at, size);
  const entries: ArchiveEntry[] = [];
  for (let offset = 0; entries.length < count; ) {
    if (offset + 46 > bytes.length || bytes.readUInt32LE(offset) !== CENTRAL)
      throw damaged("its list of files is broken");
    const [name, extra, comment] = [28, 30, 32].map((field) => bytes.readUInt16LE(offset + field));
    const record = bytes.subarray(offset, offset + 46 + name!);
    entries.push(await entryOf(spool, record));
    offset += 46 + name! + extra! + comment!;
  }
  return entries;
}

async function directoryOf(spool: Spool): Promise<{ count: number; at: number; size: number }> {
  const from = Math.max(0, spool.size - END_SIZE - MAX_COMMENT);
  const tail = await spool.read(from, spool.size - from);
  for (let at = tail.length - END_SIZE; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END) continue;
    const count = tail.readUInt16LE(at + 10);
    const size = tail.readUInt32LE(at + 12);
    const start = tail.readUInt32LE(at + 16);
    if (count === 0xffff || start === TOO_LARGE)
      throw new Refusal("the archive is in the form zip64, which is not read; make it a tar.gz");
    if (start + size > from + at) throw damaged("its list of files is broken");
    return { count, at: start, size };
  }
  throw damaged("it has no end");
}

async function entryOf(spool: Spool, record: Buffer): Promise<ArchiveEntry> {
  const name = record.toString("utf8", 46);
  const flags = record.readUInt16LE(8);
  const method = record.readUInt16LE(10);
  const [crc, packed, size] = [16, 20, 24].map((at) => record.readUInt32LE(at)) as [number, number, number];
  if ((flags & 1) !== 0) throw new Refusal(`"${name}" in the archive is encrypted`);
  if (method !== 0 && method !== 8)
    throw new Refusal(`"${name}" in the archive is packed in a way (${method}) that is not read`);
  const local = record.readUInt32LE(42);
  const unix = record[5] === MADE_ON_UNIX ? record.readUInt32LE(38) >>> 16 : 0;
  const directory = name.endsWith("/") || (unix & 0o170000) === 0o040000;
  const content = () => unpacked(spool, { name, local, method, packed, size, crc });
  const link = (unix & 0o170000) === 0o120000;
  if (link && size > 4096) throw damaged(`the link "${name}" has no end`);
  return {
    name,
    kind: directory ? "directory" : link ? "link" : "file",
    mode: unix & 0o7777 || (directory ? 0o755 : 0o644),
    size: directory || link ? 0 : size,
    to: link ? (await whole(content())).toString("utf8") : "",
    content: directory || link ? nothing : content,
  };
}

interface Packed {
  readonly name: string;
  readonly local: number;
  readonly method: number;
  readonly packed: number;
  readonly size: number;
  readonly crc: number;
}

async function* unpacked(spool: Spool, file: Packed): AsyncGenerator<Uint8Array> {
  const { name, local, method, packed, size } = file;
  const header = await spool.read(local, 30);
  if (header.length < 30 || header.readUInt32LE(0) !== LOCAL)
    throw damaged(`"${name}" is not where it should be`);
  const start = local + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (start + packed > spool.size) throw damaged(`"${name}" ends too early`);
  const raw = spool.stream(start, start + packed);
  let crc = 0xffffffff;
  let length = 0;
  try {
    for await (const piece of method === 0 ? raw : Readable.from(raw).pipe(createInflateRaw())) {
      const bytes = piece as Uint8Array;
      length += bytes.length;
      if (length > size) break;
      for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8)) >>> 0;
      yield bytes;
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw damaged(`"${name}" can't be unpacked`);
  }
  if (length !== size || (crc ^ 0xffffffff) >>> 0 !== file.crc) throw damaged(`"${name}" is not what it was`);
}

async function whole(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

/** CRC-32 of each byte. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

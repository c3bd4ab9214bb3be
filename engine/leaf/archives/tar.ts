import { Refusal } from "../errors.js";
import type { Spool } from "../files/spool.js";
import { type ArchiveEntry, nothing } from "./entry.js";

const BLOCK = 512;
/** Bytes of names and attributes that stand before an entry */
const MAX_EXTRA = 1024 * 1024;

const KINDS: Readonly<Record<string, ArchiveEntry["kind"]>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "link",
  "5": "directory",
};

type Attributes = Readonly<Record<string, string>>;

/** Whether a tar archive may begin so. */
export const isTar = (head: Buffer): boolean =>
  head.length >= BLOCK && (head.toString("latin1", 257, 262) === "ustar" || checksumFits(head));

/** Entries of a tar archive: ustar, with the long names of GNU and of pax. */
export async function readTar(spool: Spool): Promise<ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [];
  let shared: Attributes = {};
  let own: Attributes = {};
  for (let at = 0; at + BLOCK <= spool.size; ) {
    const header = await spool.read(at, BLOCK);
    if (header.every((byte) => byte === 0)) return entries;
    if (!checksumFits(header)) throw new Refusal("the archive is damaged: a header's sum is wrong");
    const type = header.toString("latin1", 156, 157);
    const size = own.size === undefined ? number(header, 124, 12) : Number(own.size);
    const start = at + BLOCK;
    if (!Number.isSafeInteger(size) || size < 0 || start + size > spool.size)
      throw new Refusal("the archive ends in the middle of a file");
    at = start + Math.ceil(size / BLOCK) * BLOCK;
    if ("xgLK".includes(type)) {
      if (size > MAX_EXTRA) throw new Refusal("the archive is damaged: a name in it has no end");
      const extra = await spool.read(start, size);
      if (type === "x") own = { ...own, ...pax(extra) };
      else if (type === "g") shared = { ...shared, ...pax(extra) };
      else own = { ...own, [type === "L" ? "path" : "linkpath"]: text(extra, 0, size) };
      continue;
    }
    const { path = nameOf(header), linkpath = text(header, 157, 100) } = { ...shared, ...own };
    own = {};
    let kind = KINDS[type];
    if (!kind)
      throw new Refusal(`the archive has "${path}" in it, a device or the like; nothing is unpacked`);
    // In the oldest archives a folder is told by the end of its name only.
    if (kind === "file" && path.endsWith("/")) kind = "directory";
    entries.push({
      name: path,
      kind,
      mode: number(header, 100, 8) & 0o7777,
      size: kind === "file" ? size : 0,
      to: linkpath,
      content: () => (kind === "file" ? spool.stream(start, start + size) : nothing()),
    });
  }
  throw new Refusal("the archive ends too early");
}

function nameOf(header: Buffer): string {
  const name = text(header, 0, 100);
  // GNU's own format has other things where the prefix stands.
  const prefix = header.toString("latin1", 257, 263) === "ustar\0" ? text(header, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function text(bytes: Buffer, at: number, length: number): string {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end < 0 ? length : end);
}

/** Octal digits, or a large number in binary behind a byte 0x80. */
function number(header: Buffer, at: number, length: number): number {
  if (header[at] === 0x80) {
    let value = 0;
    for (const byte of header.subarray(at + 1, at + length)) value = value * 256 + byte;
    return value;
  }
  const digits = text(header, at, length).trim();
  return digits === "" ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

function checksumFits(header: Buffer): boolean {
  let sum = 8 * 0x20;
  for (const [index, byte] of header.entries()) if (index < 148 || index >= 156) sum += byte;
  return sum === number(header, 148, 8);
}

/** "27 path=some/long/name\n", one behind the other. */
function pax(bytes: Buffer): Record<string, string> {
  const found: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString("latin1", at, Math.max(at, space)));
    const record = bytes.toString("utf8", space + 1, at + length - 1);
    const equals = record.indexOf("=");
    if (space < 0 || !(length > space - at) || at + length > bytes.length || equals < 1)
      throw new Refusal("the archive is damaged: an extended header is malformed");
    found[record.slice(0, equals)] = record.slice(equals + 1);
    at += length;
  }
  return found;
}

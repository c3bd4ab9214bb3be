import { crc32, deflateRawSync } from "node:zlib";

export interface Made {
  readonly name: string;
  readonly content?: string;
  readonly mode?: number;
  /** A symbolic link */
  readonly to?: string;
  readonly hard?: string;
  /** Of a tar's header, where it is none of the usual */
  readonly type?: string;
}

/** A tar as any program may have made it, also one that no honest program makes. */
export function tarOf(entries: readonly Made[]): Buffer {
  const blocks = entries.flatMap(({ name, content = "", mode = 0o644, to, hard, type }) => {
    const body = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(`${mode.toString(8).padStart(7, "0")}\0`, 100);
    header.write(`${body.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("        ", 148);
    header.write(type ?? (to ? "2" : hard ? "1" : name.endsWith("/") ? "5" : "0"), 156);
    header.write(to ?? hard ?? "", 157);
    header.write("ustar\x0000", 257);
    const sum = header.reduce((all, byte) => all + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** A zip with each second file deflated. */
export function zipOf(entries: readonly Made[]): Buffer {
  const files: Buffer[] = [];
  const list: Buffer[] = [];
  let at = 0;
  for (const [index, { name, content = "", mode = 0o644, to }] of entries.entries()) {
    const body = Buffer.from(to ?? content);
    const packed = index % 2 === 1 ? deflateRawSync(body) : body;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(index % 2 === 1 ? 8 : 0, 4);
    common.writeUInt32LE(crc(body), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(body.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    files.push(Buffer.from("PK\x03\x04", "latin1"), common, Buffer.from(name), packed);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((((to ? 0o120000 : 0o100000) | mode) << 16) >>> 0, 6);
    rest.writeUInt32LE(at, 10);
    list.push(Buffer.from("PK\x01\x02\x14\x03", "latin1"), common, rest, Buffer.from(name));
    at += 30 + Buffer.byteLength(name) + packed.length;
  }
  const directory = Buffer.concat(list);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...files, directory, Buffer.from("PK\x05\x06", "latin1"), end]);
}

/** Node's own, where it has one (from 20.15). */
const crc = (bytes: Buffer): number => crc32(bytes);

import { closeSync, openSync, readSync } from "node:fs";

/** What a Linux program needs of its host, as its file says it. */
export interface ElfProgram {
  /** "linux-x64", "linux-arm64-musl"; undefined where no Node that is known here runs on such a processor */
  readonly platform: string | undefined;
  /** Names of the libraries that are loaded with it */
  readonly libraries: readonly string[];
  /** Newest version of glibc that it asks for, "2.28"; empty: none */
  readonly glibc: string;
}

const MACHINES: Readonly<Record<number, string>> = { 62: "x64", 183: "arm64" };

/** Types of program headers and of entries of the dynamic section (the ELF specification and its GNU additions). */
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_VERNEED = 0x6ffffffe;
const DT_VERNEEDNUM = 0x6fffffff;
/** More than this of anything is no program that anybody made. */
const MOST = 4096;

/** `length` bytes from `at` on, fewer where the file ends. */
type Read = (at: number, length: number) => Buffer;

/** Reads an ELF file of 64 bits, little end first; undefined: it is another kind of file. */
export function readElf(file: string): ElfProgram | undefined {
  const descriptor = openSync(file, "r");
  try {
    return parseElf((at, length) => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, length, at));
    });
  } finally {
    closeSync(descriptor);
  }
}

/** The same of a file that is at hand. */
export const elfOf = (file: Buffer): ElfProgram | undefined =>
  parseElf((at, length) => file.subarray(at, at + length));

function parseElf(read: Read): ElfProgram | undefined {
  try {
    const head = read(0, 64);
    if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2 || head[5] !== 1)
      return undefined;
    return describe(head, read);
  } catch (error) {
    // A length or an offset that leads out of the file
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function describe(head: Buffer, read: Read): ElfProgram {
  const size = head.readUInt16LE(54);
  const count = head.readUInt16LE(56);
  const table = read(Number(head.readBigUInt64LE(32)), size * Math.min(count, MOST));
  const headers = Array.from({ length: table.length / size }, (_, index) => {
    const at = index * size;
    const number = (offset: number) => Number(table.readBigUInt64LE(at + offset));
    return { type: table.readUInt32LE(at), offset: number(8), address: number(16), length: number(32) };
  });
  const find = (type: number) => headers.find((header) => header.type === type);
  /** Where in the file an address of the running program lies */
  const offsetOf = (address: number): number => {
    const segment = headers.find(
      (header) =>
        header.type === PT_LOAD && address >= header.address && address < header.address + header.length,
    );
    if (!segment) throw new RangeError("no segment holds the address");
    return address - segment.address + segment.offset;
  };

  const interpreter = find(PT_INTERP);
  const loader = interpreter
    ? read(interpreter.offset, Math.min(interpreter.length, 256)).toString("latin1").replace(/\0.*$/s, "")
    : "";
  const machine = MACHINES[head.readUInt16LE(18)];
  const platform = machine && `linux-${machine}${loader.includes("ld-musl") ? "-musl" : ""}`;

  const dynamic = find(PT_DYNAMIC);
  if (!dynamic) return { platform, libraries: [], glibc: "" };
  const entries = read(dynamic.offset, Math.min(dynamic.length, MOST * 16));
  const values: [tag: number, value: number][] = [];
  for (let at = 0; at + 16 <= entries.length; at += 16)
    values.push([Number(entries.readBigUInt64LE(at)), Number(entries.readBigUInt64LE(at + 8))]);
  const value = (tag: number) => values.find(([one]) => one === tag)?.[1];
  const strings = offsetOf(value(DT_STRTAB) ?? 0);
  const text = (at: number) =>
    read(strings + at, 256)
      .toString("latin1")
      .replace(/\0.*$/s, "");
  return {
    platform,
    libraries: values.filter(([tag]) => tag === DT_NEEDED).map(([, name]) => text(name)),
    glibc: newest(versionsNeeded()),
  };

  /** "GLIBC_2.28", "GLIBCXX_3.4.21"... of all libraries. */
  function versionsNeeded(): string[] {
    const found: string[] = [];
    const start = value(DT_VERNEED);
    if (start === undefined) return found;
    let at = offsetOf(start);
    for (let left = Math.min(value(DT_VERNEEDNUM) ?? 0, MOST); left > 0; left--) {
      const need = read(at, 16);
      let one = at + need.readUInt32LE(8);
      for (let many = need.readUInt16LE(2); many > 0; many--) {
        const version = read(one, 16);
        found.push(text(version.readUInt32LE(8)));
        one += version.readUInt32LE(12);
      }
      at += need.readUInt32LE(12);
    }
    return found;
  }
}

function newest(versions: readonly string[]): string {
  const numbers = versions
    .map((version) => /^GLIBC_(\d+)\.(\d+)/.exec(version))
    .flatMap((match) => (match ? [[Number(match[1]), Number(match[2])] as const] : []));
  numbers.sort((a, b) => b[0] - a[0] || b[1] - a[1]);
  return numbers[0] ? numbers[0].join(".") : "";
}

/** A file with the head of a Linux program, as far as anybody reads it who doesn't run it. */
export function elfFile(options: {
  readonly machine: "x64" | "arm64";
  readonly loader?: string;
  readonly libraries?: readonly string[];
  /** "GLIBC_2.28" */
  readonly versions?: readonly string[];
}): Buffer {
  const { machine, loader = "/lib64/ld-linux-x86-64.so.2", libraries = [], versions = [] } = options;
  const strings = ["", loader, ...libraries, ...versions];
  const table = Buffer.from(`${strings.join("\0")}\0`);
  const at = (text: string) => table.indexOf(`\0${text}\0`) + 1;
  const u64 = (...values: number[]) => {
    const bytes = Buffer.alloc(values.length * 8);
    for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), index * 8);
    return bytes;
  };
  const headers = 64;
  const start = headers + 3 * 56;
  // The file lies 0x400000 above itself in memory
  const base = 0x400000;
  const need = Buffer.alloc(16 + 16 * versions.length);
  need.writeUInt16LE(1, 0);
  need.writeUInt16LE(versions.length, 2);
  need.writeUInt32LE(16, 8);
  versions.forEach((version, index) => {
    need.writeUInt32LE(at(version), 16 + index * 16 + 8);
    need.writeUInt32LE(16, 16 + index * 16 + 12);
  });
  const needAt = start + table.length;
  const entries: [tag: number, value: number][] = [
    ...libraries.map((name): [number, number] => [1, at(name)]),
    [5, base + start],
    [0x6ffffffe, base + needAt],
    [0x6fffffff, 1],
    [0, 0],
  ];
  const dynamic = u64(...entries.flat());
  const dynamicAt = needAt + need.length;
  const total = dynamicAt + dynamic.length;
  const header = (type: number, offset: number, length: number) => {
    const bytes = Buffer.alloc(56);
    bytes.writeUInt32LE(type, 0);
    u64(offset, base + offset).copy(bytes, 8);
    u64(length, length).copy(bytes, 32);
    return bytes;
  };
  const head = Buffer.alloc(headers);
  head.writeUInt32BE(0x7f454c46, 0);
  head[4] = 2;
  head[5] = 1;
  head.writeUInt16LE(machine === "x64" ? 62 : 183, 18);
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(3, 56);
  return Buffer.concat([
    head,
    header(1, 0, total),
    header(3, start + at(loader), loader.length + 1),
    header(2, dynamicAt, dynamic.length),
    table,
    need,
    dynamic,
  ]);
}

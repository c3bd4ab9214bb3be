/** A line of fstab(5). */
export interface FstabEntry {
  readonly device: string;
  readonly at: string;
  readonly type: string;
  readonly options: string;
  readonly dump: number;
  readonly pass: number;
}

/** Spaces and the like stand as octal numbers in fstab and in the kernel's table. */
const escaped = (text: string): string =>
  text.replace(/[ \t\n\\#]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
export const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

function parse(line: string): FstabEntry | undefined {
  if (/^\s*(#|$)/.test(line)) return undefined;
  const [device = "", at = "", type = "", options = "defaults", dump = "0", pass = "0"] = line
    .trim()
    .split(/\s+/);
  if (at === "") return undefined;
  return {
    device: unescaped(device),
    at: at.length > 1 ? unescaped(at).replace(/\/+$/, "") : at,
    type,
    options,
    dump: Number(dump),
    pass: Number(pass),
  };
}

/** What the table says of a folder. */
export function fstabEntry(table: string, at: string): FstabEntry | undefined {
  return table
    .split("\n")
    .map(parse)
    .find((entry) => entry?.at === at);
}

/** The table with this entry for the folder, in its place; undefined: with none. Every other line stays as it is. */
export function withEntry(table: string, at: string, wanted: FstabEntry | undefined): string {
  const lines = table === "" ? [] : table.replace(/\n$/, "").split("\n");
  const kept: string[] = [];
  let placed = wanted === undefined;
  for (const line of lines) {
    const entry = parse(line);
    if (entry?.at !== at) {
      kept.push(line);
      continue;
    }
    if (!placed && wanted) kept.push(same(entry, wanted) ? line : written(wanted));
    placed = true;
  }
  if (!placed && wanted) kept.push(written(wanted));
  return kept.map((line) => `${line}\n`).join("");
}

const same = (a: FstabEntry, b: FstabEntry): boolean =>
  a.device === b.device &&
  a.type === b.type &&
  a.options === b.options &&
  a.dump === b.dump &&
  a.pass === b.pass;

const written = ({ device, at, type, options, dump, pass }: FstabEntry): string =>
  `${escaped(device)} ${escaped(at)} ${type} ${options} ${dump} ${pass}`;

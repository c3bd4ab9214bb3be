/** Unified diffs in the form of `diff -u`, by Myers' O(ND) algorithm. */

const CONTEXT = 3;
/** Edits looked for before the two texts count as altogether different */
const MAX_EDITS = 1_000;
/** Characters of a diff that are kept */
export const MAX_DIFF = 32_000;
/** Bytes of a file up to which its diff is made */
export const MAX_DIFF_FILE = 1024 * 1024;

/** Two contents as a diff; undefined stands for no file. */
export function contentDiff(
  name: string,
  before: Uint8Array | undefined,
  after: Uint8Array | undefined,
): string {
  const [old, fresh] = [asText(before), asText(after)];
  if (old === undefined || fresh === undefined) {
    const size = (bytes: Uint8Array | undefined) => (bytes ? `${bytes.length} bytes` : "no file");
    return `binary content: ${size(before)} -> ${size(after)}\n`;
  }
  return unifiedDiff(before ? name : "/dev/null", after ? name : "/dev/null", old, fresh);
}

function asText(bytes: Uint8Array | undefined): string | undefined {
  if (!bytes) return "";
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

type Edit = readonly [sign: " " | "-" | "+", line: string];

export function unifiedDiff(oldName: string, newName: string, before: string, after: string): string {
  const edits = editScript(lines(before), lines(after));
  const out: string[] = [];
  let length = 0;
  for (const hunk of hunks(edits)) {
    if (length + hunk.length > MAX_DIFF) {
      if (out.length === 0) out.push(hunk.slice(0, hunk.lastIndexOf("\n", MAX_DIFF) + 1));
      out.push("[the rest of the diff is left out]\n");
      break;
    }
    out.push(hunk);
    length += hunk.length;
  }
  return out.length === 0 ? "" : `--- ${oldName}\n+++ ${newName}\n${out.join("")}`;
}

/** Lines with their ends, so that a missing last one shows. */
function lines(text: string): string[] {
  return text === "" ? [] : (text.match(/[^\n]*\n|[^\n]+$/g) ?? []);
}

function editScript(a: readonly string[], b: readonly string[]): Edit[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (
    tail < a.length - head &&
    tail < b.length - head &&
    a[a.length - 1 - tail] === b[b.length - 1 - tail]
  )
    tail++;
  const keep = (line: string): Edit => [" ", line];
  return [
    ...a.slice(0, head).map(keep),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...a.slice(a.length - tail).map(keep),
  ];
}

function middle(a: readonly string[], b: readonly string[]): Edit[] {
  const limit = Math.min(a.length + b.length, MAX_EDITS);
  const offset = limit + 1;
  const furthest = new Int32Array(2 * limit + 3);
  const trace: Int32Array[] = [];
  for (let d = 0; d <= limit; d++) {
    trace.push(furthest.slice(offset - d - 1, offset + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const below = furthest[offset + k - 1]!;
      const above = furthest[offset + k + 1]!;
      let x = k === -d || (k !== d && below < above) ? above : below + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      furthest[offset + k] = x;
      if (x >= a.length && x - k >= b.length) return backtrack(a, b, trace);
    }
  }
  return [...a.map((line): Edit => ["-", line]), ...b.map((line): Edit => ["+", line])];
}

/** `trace[d]` holds the furthest x of the diagonals from -d-1 to d+1 before step d. */
function backtrack(a: readonly string[], b: readonly string[], trace: readonly Int32Array[]): Edit[] {
  const edits: Edit[] = [];
  let x = a.length;
  let y = b.length;
  for (let d = trace.length - 1; d > 0; d--) {
    const before = (k: number) => trace[d]![k + d + 1]!;
    const k = x - y;
    const insert = k === -d || (k !== d && before(k - 1) < before(k + 1));
    const start = insert ? before(k + 1) : before(k - 1) + 1;
    for (; x > start; y--) edits.push([" ", a[--x]!]);
    if (insert) edits.push(["+", b[--y]!]);
    else edits.push(["-", a[--x]!]);
  }
  while (x > 0) edits.push([" ", a[--x]!]);
  return edits.reverse();
}

function* hunks(edits: readonly Edit[]): Generator<string> {
  let oldLine = 1;
  let newLine = 1;
  for (let at = 0; at < edits.length; ) {
    if (edits[at]![0] === " ") {
      oldLine++;
      newLine++;
      at++;
      continue;
    }
    const start = Math.max(0, at - CONTEXT);
    let end = at;
    for (let quiet = 0, look = at; look < edits.length && quiet <= 2 * CONTEXT; look++) {
      quiet = edits[look]![0] === " " ? quiet + 1 : 0;
      if (quiet === 0) end = look + 1;
    }
    const stop = Math.min(edits.length, end + CONTEXT);
    const part = edits.slice(start, stop);
    const count = (other: string) => part.filter(([sign]) => sign !== other).length;
    const span = (line: number, lines: number) => {
      const first = lines === 0 ? line - 1 : line;
      return lines === 1 ? `${first}` : `${first},${lines}`;
    };
    const lead = at - start;
    const head = `@@ -${span(oldLine - lead, count("+"))} +${span(newLine - lead, count("-"))} @@\n`;
    yield head +
      part
        .map(([sign, line]) =>
          line.endsWith("\n") ? sign + line : `${sign}${line}\n\\ No newline at end of file\n`,
        )
        .join("");
    for (const [sign] of edits.slice(at, stop)) {
      if (sign !== "+") oldLine++;
      if (sign !== "-") newLine++;
    }
    at = stop;
  }
}

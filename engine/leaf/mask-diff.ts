import { MASK, type Masker } from "../vocabulary/masker.js";

/**
 * A diff without secrets. What a secret takes the place of was one too, most likely the one before it was changed: the
 * lines that go where a line with a secret comes are masked as well, as is the old value beside a new one that is secret.
 */
export function maskDiff(masker: Masker, diff: string): string {
  if (masker.empty) return diff;
  const lines = diff.split("\n");
  const masked = lines.map((line) => masker.mask(line));
  const isSecret = (at: number): boolean => masked[at] !== lines[at];
  for (let from = 0; from < lines.length; ) {
    let to = from;
    while (to < lines.length && isChange(lines[to]!)) to++;
    const run = [...masked.keys()].slice(from, to);
    const come = run.filter((at) => lines[at]!.startsWith("+") && isSecret(at)).map((at) => masked[at]!);
    if (come.length > 0)
      for (const at of run)
        if (lines[at]!.startsWith("-")) masked[at] = `-${shape(masked[at]!.slice(1), come)}`;
    from = Math.max(to, from + 1);
  }
  return masker.mask(masked.map((line, at) => (isSecret(at) ? withoutOld(line) : line)).join("\n"));
}

/** The headers of a diff look like changes. */
const isChange = (line: string): boolean => /^[+-]/.test(line) && !/^(---|\+\+\+) /.test(line);

/** An old line as the new one that it looks like ("password = ********"); one that looks like none shows nothing. */
function shape(old: string, come: readonly string[]): string {
  for (const line of come) {
    const [before = "", ...rest] = line.slice(1).split(MASK);
    const after = rest[rest.length - 1] ?? "";
    if (before !== "" && old.startsWith(before) && old.slice(before.length).endsWith(after))
      return `${before}${MASK}${after}`;
  }
  return MASK;
}

/** "password: old -> ********": the old one was as secret. */
const withoutOld = (line: string): string =>
  line.replace(
    /^([^:]*: ).* -> (.*\*{8}.*)$/,
    (_, key: string, fresh: string) => `${key}${MASK} -> ${fresh}`,
  );

import type { Entry } from "./files.js";

/** What a check has planned so far, as plain data: the next role of the same check goes on from it. */
export interface Foresight {
  /** A command was not run, and what it would have made is not known */
  readonly uncertain: boolean;
  /** What would stand at a path; undefined: nothing would */
  readonly entries: ReadonlyMap<string, Entry | undefined>;
  /** Ids that stand for accounts which may be there by then */
  readonly guesses: ReadonlyMap<string, number>;
}

/** Bytes of planned contents that are kept; the rest is known by its hash. */
const MOST_BYTES = 8 << 20;

/** Without what only the role's own process has: functions, and Node's own objects. */
export function keepable({ uncertain, entries, guesses }: Foresight): Foresight {
  let room = MOST_BYTES;
  const plain = new Map<string, Entry | undefined>();
  for (const [at, entry] of entries) {
    if (entry?.kind !== "file") {
      plain.set(at, entry);
      continue;
    }
    const { stats: _stats, content, ...rest } = entry;
    const { hash, bytes, pieces } = content ?? {};
    const kept = bytes && bytes.length <= room ? bytes : undefined;
    room -= kept?.length ?? 0;
    plain.set(at, {
      ...rest,
      ...(hash === undefined
        ? {}
        : { content: { hash, ...(kept ? { bytes: kept } : {}), ...(pieces ? { pieces } : {}) } }),
    });
  }
  return { uncertain, entries: plain, guesses };
}

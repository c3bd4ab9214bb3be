import { isKeyKind, type PublicKey, parseKey } from "./public-key.js";

/** An entry of an authorized_keys file (sshd(8)): options, key, comment. */
export interface AuthorizedEntry extends PublicKey {
  readonly options: string;
}

/** The entry in a line; undefined for comments, empty lines and what sshd would not take. */
export function parseEntry(line: string): AuthorizedEntry | undefined {
  const text = line.trim();
  if (text === "" || text.startsWith("#")) return undefined;
  if (isKeyKind(text.split(/[ \t]/, 1)[0] ?? "")) {
    const key = parseKey(text);
    return key && { ...key, options: "" };
  }
  const end = endOfOptions(text);
  const key = parseKey(text.slice(end).trim());
  return key && { ...key, options: text.slice(0, end) };
}

/** Options end at the first blank that stands in no quotes; a quote in quotes has a backslash. */
function endOfOptions(text: string): number {
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === "\\" && text[at + 1] === '"') at++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && (char === " " || char === "\t")) return at;
  }
  return text.length;
}

export const entryLine = ({ options, kind, blob, comment }: AuthorizedEntry): string =>
  [options, kind, blob, comment].filter((part) => part !== "").join(" ");

/** What an entry shall be; undefined leaves that of an existing one. */
export interface WantedEntry {
  readonly kind: string;
  readonly blob: string;
  readonly options: string | undefined;
  readonly comment: string | undefined;
}

export interface Edited {
  readonly text: string;
  /** "add", "update", "remove" */
  readonly actions: readonly string[];
}

/** The text of a file with these keys in it, and with `exclusive` no others. */
export function withKeys(text: string, wanted: readonly WantedEntry[], exclusive: boolean): Edited {
  const actions = new Set<string>();
  const missing = new Map(wanted.map((entry) => [entry.blob, entry]));
  const byBlob = new Map(missing);
  const kept = lines(text).flatMap((line) => {
    const entry = parseEntry(line);
    if (!entry) return [line];
    const want = byBlob.get(entry.blob);
    if (!want || !missing.delete(entry.blob)) {
      // A second entry of a wanted key could do without what the first one restricts.
      if (!want && !exclusive) return [line];
      actions.add("remove");
      return [];
    }
    const { options = entry.options, comment = entry.comment } = want;
    if (options === entry.options && comment === entry.comment) return [line];
    actions.add("update");
    return [entryLine({ ...entry, options, comment })];
  });
  for (const { kind, blob, options = "", comment = "" } of missing.values()) {
    actions.add("add");
    kept.push(entryLine({ kind, blob, options, comment }));
  }
  return edited(kept, text, actions);
}

/** The text without these keys. */
export function withoutKeys(text: string, blobs: ReadonlySet<string>): Edited {
  const all = lines(text);
  const kept = all.filter((line) => !blobs.has(parseEntry(line)?.blob ?? ""));
  return edited(kept, text, new Set(kept.length === all.length ? [] : ["remove"]));
}

export function lines(text: string): string[] {
  const all = text.split("\n");
  if (all[all.length - 1] === "") all.pop();
  return all;
}

export function edited(kept: readonly string[], before: string, actions: ReadonlySet<string>): Edited {
  if (actions.size === 0) return { text: before, actions: [] };
  const order = ["add", "update", "remove"].filter((action) => actions.has(action));
  return { text: kept.map((line) => `${line}\n`).join(""), actions: order };
}

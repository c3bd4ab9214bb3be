import { ValueError } from "../errors.js";
import { MAX_SIZE } from "../operators.js";
import { items, textOf } from "../values.js";
import { attributeOf } from "./attribute.js";
import type { Filter, Given } from "./given.js";

const onText =
  (change: (text: string, given: Given) => unknown): Filter =>
  (value, given) =>
    change(textOf(value), given);

const capitalized = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase();
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};

/** The characters that Python's strip() takes off, or those that were given. */
export function stripped(
  text: string,
  characters: string | undefined,
  side: "left" | "right" | "both",
): string {
  const off = (char: string | undefined): boolean =>
    char !== undefined && (characters === undefined ? /\s/.test(char) : characters.includes(char));
  let from = 0;
  let to = text.length;
  if (side !== "right") while (from < to && off(text[from])) from++;
  if (side !== "left") while (to > from && off(text[to - 1])) to--;
  return text.slice(from, to);
}

function padding(count: number): string {
  if (count > MAX_SIZE) throw new ValueError("the result would be too large");
  return " ".repeat(Math.max(0, count));
}

function indent(text: string, given: Given): string {
  const width = given.get(0, "width") ?? 4;
  const pad = typeof width === "string" ? width : padding(given.number(0, "width", 4));
  const blank = given.flag(2, "blank");
  return text
    .split("\n")
    .map((line, at) => ((at > 0 || given.flag(1, "first")) && (line !== "" || blank) ? pad + line : line))
    .join("\n");
}

function truncate(text: string, given: Given): string {
  const length = given.number(0, "length", 255);
  const end = given.text(2, "end", "...");
  if (text.length <= length + given.number(3, "leeway", 5)) return text;
  const cut = text.slice(0, Math.max(0, length - end.length));
  const space = cut.lastIndexOf(" ");
  return (given.flag(1, "killwords") || space < 0 ? cut : cut.slice(0, space)) + end;
}

function wordwrap(text: string, given: Given): string {
  const width = given.number(0, "width", 79);
  const wrap = (line: string): string => {
    const lines: string[] = [];
    for (const word of line.split(/ +/)) {
      const last = lines[lines.length - 1];
      if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
      else lines[lines.length - 1] = `${last} ${word}`;
    }
    return lines.join("\n");
  };
  return text.split("\n").map(wrap).join("\n");
}

/** Python's "%s and %05d" with the values in order. */
function format(text: string, { positional }: Given): string {
  let next = 0;
  return text.replace(
    /%(-?)(0?)(\d*)(?:\.(\d+))?([sdfx%])/g,
    (_all, left: string, zero: string, width: string, digits: string | undefined, kind: string) => {
      if (kind === "%") return "%";
      if (next >= positional.length) throw new ValueError("there are fewer values than places in the text");
      const value = positional[next++];
      let written = textOf(value);
      if (kind !== "s") {
        if (typeof value !== "number") throw new ValueError(`"%${kind}" needs a number`);
        written =
          kind === "f"
            ? value.toFixed(Number(digits ?? 6))
            : Math.trunc(value).toString(kind === "x" ? 16 : 10);
      }
      const size = Math.min(Number(width || 0), 1000);
      return left ? written.padEnd(size) : written.padStart(size, zero && kind !== "s" ? "0" : " ");
    },
  );
}

function pattern(given: Given, at: number, flags: string): RegExp {
  const ignore = given.flag(at + 2, "ignorecase") ? "i" : "";
  const lines = given.flag(at + 3, "multiline") ? "m" : "";
  const source = given.text(at, "regex");
  try {
    // Python's (?P<name>...) and (?i)
    const inline = /^\(\?([ims]+)\)/.exec(source)?.[1] ?? "";
    const text = source.replace(/^\(\?[ims]+\)/, "").replaceAll("(?P<", "(?<");
    return new RegExp(text, [...new Set(flags + ignore + lines + inline)].join(""));
  } catch {
    throw new ValueError(`"${source}" is no regular expression that this engine knows`);
  }
}

function regexReplace(text: string, given: Given): string {
  // Python writes groups as \1 and \g<name>, JavaScript as $1 and $<name>.
  const to = given
    .text(1, "replacement", "")
    .replaceAll("$", "$$$$")
    .replace(
      /\\g<(\d+)>|\\(\d)/g,
      (_all, long: string | undefined, short: string | undefined) => `$${long ?? short}`,
    )
    .replace(/\\g<(\w+)>/g, "$<$1>");
  return text.replace(pattern(given, 0, "g"), to);
}

export const TEXT_FILTERS = {
  upper: onText((text) => text.toUpperCase()),
  lower: onText((text) => text.toLowerCase()),
  capitalize: onText(capitalized),
  title: onText((text) => text.replace(/[^\s\-([{<]+/g, capitalized)),
  trim: onText((text, given) => stripped(text, given.get(0, "chars") as string | undefined, "both")),
  replace: onText((text, given) => {
    const [old, fresh] = [given.text(0, "old"), given.text(1, "new")];
    const count = given.get(2, "count");
    if (typeof count !== "number") return text.replaceAll(old, () => fresh);
    let left = count;
    return text.replaceAll(old, (found) => (left-- > 0 ? fresh : found));
  }),
  indent: onText(indent),
  truncate: onText(truncate),
  wordwrap: onText(wordwrap),
  center: onText((text, given) => {
    const room = Math.max(0, given.number(0, "width", 80) - text.length);
    return padding(Math.floor(room / 2)) + text + padding(Math.ceil(room / 2));
  }),
  format: onText(format),
  string: onText((text) => text),
  wordcount: onText((text) => text.match(/\w+/g)?.length ?? 0),
  escape: onText((text) => text.replace(/[&<>"']/g, (char) => ENTITIES[char]!)),
  urlencode: onText((text) => encodeURIComponent(text).replaceAll("%2F", "/")),
  quote: onText((text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`)),
  comment: onText((text, given) => {
    const decoration = given.text(1, "decoration", given.text(0, "style", "plain") === "c" ? "// " : "# ");
    return text
      .split("\n")
      .map((line) => (decoration + line).trimEnd())
      .join("\n");
  }),
  basename: onText((text) => text.slice(text.lastIndexOf("/") + 1)),
  dirname: onText((text) => text.slice(0, Math.max(text.lastIndexOf("/"), text.startsWith("/") ? 1 : 0))),
  b64encode: onText((text) => Buffer.from(text).toString("base64")),
  b64decode: onText((text) => Buffer.from(text, "base64").toString("utf8")),
  regex_replace: onText(regexReplace),
  regex_search: onText((text, given) => pattern(given, 0, "").exec(text)?.[0] ?? null),
  regex_findall: onText((text, given) =>
    [...text.matchAll(pattern(given, 0, "g"))].map((match) => match[1] ?? match[0]),
  ),
  regex_escape: onText((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")),
  split: onText((text, given) => split(text, given.get(0, "sep") as string | undefined)),
  join: (value, given) => {
    const attribute = given.get(1, "attribute");
    const list = items(value).map((item) => (attribute === undefined ? item : attributeOf(item, attribute)));
    return list.map(textOf).join(given.text(0, "d", ""));
  },
} satisfies Record<string, Filter>;

export function split(text: string, separator: string | undefined | null): string[] {
  if (separator === undefined || separator === null) return text.split(/\s+/).filter((word) => word !== "");
  return text.split(separator);
}

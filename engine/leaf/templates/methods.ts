import { ValueError } from "./errors.js";
import type { Given } from "./filters/given.js";
import { split, stripped, TEXT_FILTERS } from "./filters/text.js";
import { type Dict, equal, isDict, memberOf, textOf } from "./values.js";

type Method<T> = (value: T, given: Given) => unknown;

const optional = (given: Given, at: number): string | undefined => {
  const value = given.get(at, "");
  return value === undefined || value === null ? undefined : textOf(value);
};
const ends =
  (test: (text: string, part: string) => boolean): Method<string> =>
  (text, given) => {
    const parts = given.get(0, "");
    return (Array.isArray(parts) ? (parts as unknown[]) : [parts]).some((part) => test(text, textOf(part)));
  };

/** The methods of Python's str, dict and list that templates use. An explicit table: no other can be reached. */
const TEXT: Readonly<Record<string, Method<string>>> = {
  upper: TEXT_FILTERS.upper,
  lower: TEXT_FILTERS.lower,
  title: TEXT_FILTERS.title,
  capitalize: TEXT_FILTERS.capitalize,
  replace: TEXT_FILTERS.replace,
  strip: (text, given) => stripped(text, optional(given, 0), "both"),
  lstrip: (text, given) => stripped(text, optional(given, 0), "left"),
  rstrip: (text, given) => stripped(text, optional(given, 0), "right"),
  split: (text, given) => split(text, optional(given, 0)),
  splitlines: (text) => text.replace(/\r?\n$/, "").split(/\r?\n/),
  startswith: ends((text, part) => text.startsWith(part)),
  endswith: ends((text, part) => text.endsWith(part)),
  join: (text, given) => TEXT_FILTERS.join(given.get(0, "iterable"), given.withPositional([text])),
  find: (text, given) => text.indexOf(given.text(0, "sub")),
  count: (text, given) => text.split(given.text(0, "sub")).length - 1,
  isdigit: (text) => /^\d+$/.test(text),
  isalpha: (text) => /^\p{L}+$/u.test(text),
  isalnum: (text) => /^[\p{L}\d]+$/u.test(text),
};

const DICT: Readonly<Record<string, Method<Dict>>> = {
  items: (dict) => Object.entries(dict),
  keys: (dict) => Object.keys(dict),
  values: (dict) => Object.values(dict),
  get: (dict, given) => memberOf(dict, given.get(0, "key")) ?? given.get(1, "default") ?? null,
};

const LIST: Readonly<Record<string, Method<readonly unknown[]>>> = {
  index(list, given) {
    const at = list.findIndex((item) => equal(item, given.get(0, "value")));
    if (at < 0) throw new ValueError("the list has no such item");
    return at;
  },
  count: (list, given) => list.filter((item) => equal(item, given.get(0, "value"))).length,
};

/** The method `name` of a value; undefined where the value has none. */
export function methodOf(value: unknown, name: string): ((given: Given) => unknown) | undefined {
  const bound = <T>(table: Readonly<Record<string, Method<T>>>, of: T) => {
    const method = Object.getOwnPropertyDescriptor(table, name)?.value as Method<T> | undefined;
    return method && ((given: Given) => method(of, given));
  };
  if (typeof value === "string") return bound(TEXT, value);
  if (Array.isArray(value)) return bound(LIST, value as readonly unknown[]);
  return isDict(value) ? bound(DICT, value) : undefined;
}

import { ValueError } from "../errors.js";
import { Callable, compare, contains, defined, equal, isDict, textOf, truthy, Undefined } from "../values.js";
import { DATA_FILTERS } from "./data.js";
import type { Filter, Given, Test } from "./given.js";
import { listFilters } from "./lists.js";
import { TEXT_FILTERS } from "./text.js";

const isDefined: Test = (value) => !(value instanceof Undefined) && value !== undefined;
const number = (value: unknown): number => {
  if (typeof value !== "number") throw new ValueError("the test needs a number");
  return value;
};
const order =
  (holds: (order: number) => boolean): Test =>
  (value, given) =>
    holds(compare(defined(value), given.get(0, "other")));
const same: Test = (value, given) => equal(defined(value), given.get(0, "other") ?? null);
const matches = (value: unknown, given: Given, anchored: boolean): boolean => {
  try {
    return new RegExp(anchored ? `^(?:${given.text(0, "pattern")})` : given.text(0, "pattern")).test(
      textOf(value),
    );
  } catch (error) {
    throw error instanceof SyntaxError ? new ValueError("the pattern is no regular expression") : error;
  }
};

/** The words behind `is`. */
const TESTS: Readonly<Record<string, Test>> = {
  defined: isDefined,
  undefined: (value, given) => !isDefined(value, given),
  none: (value) => defined(value) === null,
  boolean: (value) => typeof defined(value) === "boolean",
  true: (value) => defined(value) === true,
  false: (value) => defined(value) === false,
  string: (value) => typeof defined(value) === "string",
  number: (value) => typeof defined(value) === "number",
  integer: (value) => Number.isInteger(defined(value)),
  float: (value) => typeof defined(value) === "number" && !Number.isInteger(value),
  mapping: (value) => isDict(defined(value)),
  sequence: (value) => Array.isArray(defined(value)) || typeof value === "string",
  iterable: (value) => Array.isArray(defined(value)) || typeof value === "string" || isDict(value),
  callable: (value) => defined(value) instanceof Callable,
  odd: (value) => Math.abs(number(defined(value)) % 2) === 1,
  even: (value) => number(defined(value)) % 2 === 0,
  divisibleby: (value, given) => number(defined(value)) % given.number(0, "num") === 0,
  upper: (value) => textOf(value) === textOf(value).toUpperCase() && /\p{L}/u.test(textOf(value)),
  lower: (value) => textOf(value) === textOf(value).toLowerCase() && /\p{L}/u.test(textOf(value)),
  in: (value, given) => contains(given.get(0, "seq"), defined(value)),
  contains: (value, given) => contains(defined(value), given.get(0, "item")),
  eq: same,
  equalto: same,
  sameas: same,
  ne: (value, given) => !same(value, given),
  lt: order((result) => result < 0),
  le: order((result) => result <= 0),
  gt: order((result) => result > 0),
  ge: order((result) => result >= 0),
  match: (value, given) => matches(value, given, true),
  search: (value, given) => matches(value, given, false),
  truthy: (value) => truthy(value),
  falsy: (value) => !truthy(value),
};

function findIn<T>(table: ReadonlyMap<string, T>, kind: string, name: string): T {
  // Names may be Ansible's full ones.
  const found = table.get(name.replace(/^ansible\.builtin\./, "").replace(/^.*\./, ""));
  if (!found) throw new ValueError(`there is no ${kind} "${name}"`);
  return found;
}

export interface Words {
  filter(name: string): Filter;
  test(name: string): Test;
}

/** Every filter and test by its name; unknown ones throw ValueError. */
export function words(): Words {
  const tests = new Map(Object.entries(TESTS));
  const found: Words = {
    filter: (name) => findIn(filters, "filter", name),
    test: (name) => findIn(tests, "test", name),
  };
  const all: Record<string, Filter> = { ...TEXT_FILTERS, ...DATA_FILTERS, ...listFilters(found) };
  const filters: ReadonlyMap<string, Filter> = new Map([...Object.entries(all), ["e", TEXT_FILTERS.escape]]);
  return found;
}

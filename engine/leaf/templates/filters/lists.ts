import { ValueError } from "../errors.js";
import { compare, contains, type Dict, equal, isDict, items, kindOf, truthy, Undefined } from "../values.js";
import { attributeIfAny, attributeOf } from "./attribute.js";
import type { Filter, Given, Test } from "./given.js";

/** Finds another filter or test by its name; throws ValueError. */
export interface Named {
  filter(name: string): Filter;
  test(name: string): Test;
}

/** What to sort or group by: an attribute of each item, and texts without their case. */
function keyOf(given: Given, attributeAt: number, caseAt: number): (item: unknown) => unknown {
  const attribute = given.get(attributeAt, "attribute");
  const exact = given.flag(caseAt, "case_sensitive");
  return (item) => {
    const key = attribute === undefined || attribute === null ? item : attributeOf(item, attribute);
    return typeof key === "string" && !exact ? key.toLowerCase() : key;
  };
}

function sorted(value: unknown, key: (item: unknown) => unknown, reverse: boolean): unknown[] {
  const list = items(value).map((item) => ({ item, key: key(item) }));
  list.sort((a, b) => (reverse ? compare(b.key, a.key) : compare(a.key, b.key)));
  return list.map(({ item }) => item);
}

function unique(value: unknown, key: (item: unknown) => unknown = (item) => item): unknown[] {
  const seen: unknown[] = [];
  return items(value).filter((item) => {
    const known = key(item);
    if (seen.some((one) => equal(one, known))) return false;
    seen.push(known);
    return true;
  });
}

function extreme(value: unknown, given: Given, sign: number): unknown {
  const key = keyOf(given, 1, 0);
  const list = items(value);
  if (list.length === 0) throw new ValueError("the list is empty");
  return list.reduce((best, item) => (sign * compare(key(item), key(best)) > 0 ? item : best));
}

function end(value: unknown, at: "first" | "last"): unknown {
  const list = items(value);
  if (list.length === 0) return new Undefined(`the ${at} item of an empty list`);
  return list[at === "first" ? 0 : list.length - 1];
}

function needDict(value: unknown): Dict {
  if (!isDict(value)) throw new ValueError(`it needs a dict, not ${kindOf(value)}`);
  return value;
}

function dictOf(entries: Iterable<readonly [unknown, unknown]>): Dict {
  // Without a prototype, "__proto__" is a key as any other.
  const dict: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [key, value] of entries) dict[String(key)] = value;
  return dict;
}

function combine(value: unknown, given: Given): Dict {
  const recursive = given.flag(-1, "recursive");
  const over = (below: Dict, above: Dict): Dict => {
    const result = dictOf(Object.entries(below));
    const merged = Object.entries(above).map(([key, item]) => {
      const old = attributeIfAny(result, key);
      return [key, recursive && isDict(old) && isDict(item) ? over(old, item) : item] as const;
    });
    return dictOf([...Object.entries(result), ...merged]);
  };
  return given.positional.map(needDict).reduce(over, needDict(value));
}

function grouped(value: unknown, given: Given): unknown[] {
  const attribute = given.get(0, "attribute");
  const groups: { key: unknown; members: unknown[] }[] = [];
  for (const item of sorted(value, (one) => attributeOf(one, attribute), false)) {
    const key = attributeOf(item, attribute);
    const last = groups[groups.length - 1];
    if (last && equal(last.key, key)) last.members.push(item);
    else groups.push({ key, members: [item] });
  }
  return groups.map(({ key, members }) => [key, members]);
}

function batches(value: unknown, given: Given): unknown[][] {
  const size = given.number(0, "linecount");
  if (!(size >= 1)) throw new ValueError("a batch needs 1 item at least");
  const fill = given.get(1, "fill_with");
  const list = items(value);
  const result: unknown[][] = [];
  for (let at = 0; at < list.length; at += size) {
    const batch = list.slice(at, at + size);
    while (fill !== undefined && batch.length < size) batch.push(fill);
    result.push(batch);
  }
  return result;
}

/** Filters of lists and dicts. */
export function listFilters(named: Named): Record<string, Filter> {
  const holds = (given: Given, at: number): ((item: unknown) => boolean) => {
    const name = given.get(at, "test");
    if (name === undefined) return truthy;
    const test = named.test(String(name));
    return (item) => test(item, given.behind(at + 1));
  };
  const picking =
    (wanted: boolean): Filter =>
    (value, given) => {
      const test = holds(given, 0);
      return items(value).filter((item) => test(item) === wanted);
    };
  const pickingBy =
    (wanted: boolean): Filter =>
    (value, given) => {
      const attribute = given.text(0, "attribute");
      const test = holds(given, 1);
      const ofItem = (item: unknown) => attributeIfAny(item, attribute) ?? new Undefined(attribute);
      return items(value).filter((item) => test(ofItem(item)) === wanted);
    };
  const length: Filter = (value) => items(value).length;
  return {
    length,
    count: length,
    first: (value) => end(value, "first"),
    last: (value) => end(value, "last"),
    list: (value) => [...items(value)],
    reverse: (value) =>
      typeof value === "string" ? [...value].reverse().join("") : [...items(value)].reverse(),
    sort: (value, given) => sorted(value, keyOf(given, 2, 1), given.flag(0, "reverse")),
    unique: (value, given) => unique(value, keyOf(given, 1, 0)),
    min: (value, given) => extreme(value, given, -1),
    max: (value, given) => extreme(value, given, 1),
    sum: (value, given) => {
      const attribute = given.get(0, "attribute");
      return items(value).reduce<number>(
        (sum, item) => {
          const one = attribute === undefined ? item : attributeOf(item, attribute);
          if (typeof one !== "number") throw new ValueError(`${kindOf(one)} can't be added`);
          return sum + one;
        },
        given.number(1, "start", 0),
      );
    },
    map: (value, given) => {
      const attribute = given.named.get("attribute");
      const fallback = given.named.get("default");
      if (attribute !== undefined)
        return items(value).map((item) =>
          fallback === undefined
            ? attributeOf(item, attribute)
            : (attributeIfAny(item, attribute) ?? fallback),
        );
      const filter = named.filter(given.text(0, "filter"));
      return items(value).map((item) => filter(item, given.behind(1)));
    },
    select: picking(true),
    reject: picking(false),
    selectattr: pickingBy(true),
    rejectattr: pickingBy(false),
    groupby: grouped,
    batch: batches,
    flatten: (value, given) => items(value).flat(given.number(0, "levels", 32) as 32),
    union: (value, given) => unique([...items(value), ...items(given.get(0, "other"))]),
    intersect: (value, given) => unique(value).filter((item) => contains(items(given.get(0, "other")), item)),
    difference: (value, given) =>
      unique(value).filter((item) => !contains(items(given.get(0, "other")), item)),
    zip: (value, given) => {
      const lists = [items(value), ...given.positional.map(items)];
      return Array.from({ length: Math.min(...lists.map((list) => list.length)) }, (_, at) =>
        lists.map((list) => list[at]),
      );
    },
    items: (value) => Object.entries(needDict(value)),
    dictsort: (value, given) => {
      const by = given.get(1, "by") === "value" ? 1 : 0;
      const exact = given.flag(0, "case_sensitive");
      const key = (item: unknown) => {
        const one = (item as readonly unknown[])[by];
        return typeof one === "string" && !exact ? one.toLowerCase() : one;
      };
      return sorted(Object.entries(needDict(value)), key, given.flag(2, "reverse"));
    },
    dict2items: (value) => Object.entries(needDict(value)).map(([key, item]) => ({ key, value: item })),
    items2dict: (value) =>
      dictOf(items(value).map((item) => [attributeOf(item, "key"), attributeOf(item, "value")] as const)),
    combine,
  };
}

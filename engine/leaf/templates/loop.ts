import { Callable, equal } from "./values.js";

/** What a `for` body sees as `loop`. `again` renders the body over other items, where the loop is recursive. */
export function loopOf(
  all: readonly unknown[],
  at: number,
  depth: number,
  memory: { last: unknown },
  again: ((list: unknown) => string) | undefined,
): Callable {
  const members = new Map<string, unknown>([
    ["index", at + 1],
    ["index0", at],
    ["revindex", all.length - at],
    ["revindex0", all.length - at - 1],
    ["first", at === 0],
    ["last", at === all.length - 1],
    ["length", all.length],
    ["depth", depth + 1],
    ["depth0", depth],
    ["cycle", new Callable((values) => values[at % values.length])],
    [
      "changed",
      new Callable((values) => {
        const same = equal(memory.last, values);
        memory.last = values;
        return !same;
      }),
    ],
  ]);
  if (at > 0) members.set("previtem", all[at - 1]);
  if (at < all.length - 1) members.set("nextitem", all[at + 1]);
  return new Callable(([list]) => again?.(list) ?? "", members);
}

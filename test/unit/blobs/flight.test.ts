import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MopError } from "../../../transport/errors.js";
import { type SimNode, Simulation } from "./simulation.js";

const HASHES = ["a", "b", "c", "d"];

type Op =
  | { readonly do: "offer" | "push"; readonly hashes: readonly string[]; readonly to: readonly number[] }
  | { readonly do: "need" | "evict"; readonly hash: string; readonly node: number }
  | { readonly do: "kill" | "corrupt"; readonly node: number }
  | { readonly do: "step"; readonly node: number; readonly what: number };

const node = fc.nat(7);
const hash = fc.constantFrom(...HASHES);
const spread = fc.record({
  do: fc.constantFrom("offer" as const, "push" as const),
  hashes: fc.uniqueArray(hash, { minLength: 1 }),
  to: fc.uniqueArray(node, { minLength: 1 }),
});
const need = fc.record({ do: fc.constant("need" as const), hash, node });
const evict = fc.record({ do: fc.constant("evict" as const), hash, node });
const step = fc.record({ do: fc.constant("step" as const), node, what: fc.nat(4) });
const corrupt = fc.record({ do: fc.constant("corrupt" as const), node });
const kill = fc.record({ do: fc.constant("kill" as const), node });

const parents = fc.array(fc.nat(7), { minLength: 1, maxLength: 7 });
const ops = (...extra: fc.WeightedArbitrary<Op>[]) =>
  fc.array(
    fc.oneof(
      { arbitrary: spread, weight: 3 },
      { arbitrary: need, weight: 4 },
      { arbitrary: step, weight: 12 },
      ...extra,
    ),
    { maxLength: 120, size: "max" },
  );

/** Plays the operations and brings everything to rest; which pushes went out, and what each node was offered. */
function play(tree: readonly number[], list: readonly Op[], unreadable: readonly string[] = []) {
  const sim = new Simulation(tree);
  for (const name of unreadable) sim.unreadable.add(name);
  const at = (index: number): SimNode => sim.nodes[1 + (index % (sim.nodes.length - 1))]!;
  const pushed = new Map<SimNode, Set<string>>();
  const offered = new Map<SimNode, Set<string>>();
  for (const op of list)
    switch (op.do) {
      case "offer":
      case "push": {
        const to = [...new Set(op.to.map(at))].filter(({ alive }) => alive);
        sim.spread(sim.nodes[0]!, new Map(op.hashes.map((name) => [name, 1])), to, op.do === "push");
        for (const target of to)
          for (const map of op.do === "push" ? [pushed, offered] : [offered])
            map.set(target, new Set([...(map.get(target) ?? []), ...op.hashes]));
        break;
      }
      case "need":
        if (at(op.node).alive) sim.need(at(op.node), op.hash);
        break;
      case "evict":
        sim.evict(at(op.node), op.hash);
        break;
      case "kill":
        if (at(op.node).alive) sim.kill(at(op.node));
        break;
      case "corrupt":
        sim.corruptions++;
        break;
      case "step":
        sim.step(at(op.node), op.what);
    }
  sim.drain();
  const below = (from: SimNode, to: SimNode | undefined): boolean =>
    to !== undefined && (to === from || below(from, to.parent));
  const allowed = (target: SimNode, name: string) =>
    [...offered].some(([other, names]) => below(target, other) && names.has(name));
  return { sim, pushed, allowed };
}

describe("whatever the order of offers, pushes, questions and deliveries", () => {
  test("each blob crosses each link at most once, pushed ones arrive, and nobody waits for ever", () => {
    fc.assert(
      fc.property(parents, ops(), (tree, list) => {
        const { sim, pushed } = play(tree, list);
        for (const { copies, waiting, pins } of sim.nodes) {
          for (const copy of copies.values()) expect(copy).toBe(1);
          expect([...waiting]).toEqual([]);
          expect([...pins.values()].every((pin) => pin === 0)).toBe(true);
        }
        for (const [target, names] of pushed)
          for (const name of names) expect(target.stored.has(name)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test("no blob comes to a link below which nobody was offered it", () => {
    fc.assert(
      fc.property(parents, ops({ arbitrary: evict, weight: 2 }), (tree, list) => {
        const { sim, allowed } = play(tree, list);
        for (const target of sim.nodes)
          for (const name of target.copies.keys()) expect(allowed(target, name)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("a blob crosses a link again only when it was thrown away or came corrupt", () => {
    const extra = [
      { arbitrary: evict, weight: 3 },
      { arbitrary: corrupt, weight: 1 },
    ];
    fc.assert(
      fc.property(parents, ops(...extra), (tree, list) => {
        const { sim } = play(tree, list);
        for (const { copies, evictions, waiting } of sim.nodes) {
          expect([...waiting]).toEqual([]);
          for (const [name, copy] of copies) expect(copy).toBeLessThanOrEqual(1 + (evictions.get(name) ?? 0));
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("the end of a node hurts no other one", () => {
    fc.assert(
      fc.property(parents, ops({ arbitrary: kill, weight: 1 }), (tree, list) => {
        const { sim, pushed } = play(tree, list);
        for (const { copies, waiting, alive, pins } of sim.nodes) {
          if (!alive) continue;
          expect([...waiting]).toEqual([]);
          expect([...pins.values()].every((pin) => pin === 0)).toBe(true);
          for (const copy of copies.values()) expect(copy).toBe(1);
        }
        for (const [target, names] of pushed)
          if (target.alive) for (const name of names) expect(target.stored.has(name)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test("what the controller can't read fails for all who wait, and nothing else does", () => {
    fc.assert(
      fc.property(parents, ops(), (tree, list) => {
        const { sim, pushed } = play(tree, list, ["a"]);
        for (const { outcomes, waiting } of sim.nodes) {
          expect([...waiting]).toEqual([]);
          for (const [name, outcome] of outcomes)
            if (name === "a") expect(outcome).toMatchObject({ code: "BLOB_UNAVAILABLE" });
            else expect(outcome).toBe("landed");
        }
        for (const [target, names] of pushed)
          for (const name of names) expect(target.stored.has(name)).toBe(name !== "a");
      }),
      { numRuns: 500 },
    );
  });
});

describe("a child", () => {
  const set = new Map([["a", 1]]);
  const asking = (): Simulation => {
    const sim = new Simulation([0, 1]);
    sim.spread(sim.nodes[0]!, set, [sim.nodes[2]!], false);
    sim.drain();
    return sim;
  };

  test("that was offered nothing is refused, and nothing is looked up for it", () => {
    const sim = new Simulation([0, 1]);
    const [, relay, leaf] = sim.nodes as [SimNode, SimNode, SimNode];
    relay.stored.add("a");
    relay.flights.want(leaf.id, 0, ["a", "b"]);
    expect(leaf.link.down).toHaveLength(2);
    expect(relay.asks.size).toBe(0);
    expect(relay.flights.next(leaf.id)).toBeUndefined();
  });

  test("doesn't ask for what is on its way by push, and gets it", () => {
    const sim = new Simulation([0, 1]);
    const [root, relay, leaf] = sim.nodes as [SimNode, SimNode, SimNode];
    sim.spread(root, set, [leaf], true);
    for (const to of [relay, leaf]) expect(sim.step(to, 0)).toBe(true);
    sim.need(leaf, "a");
    expect([relay.asks.size, leaf.asks.size]).toEqual([0, 0]);
    sim.drain();
    expect(leaf.outcomes.get("a")).toBe("landed");
  });

  test("that keeps asking for what isn't its own is cut", () => {
    const [, relay, leaf] = asking().nodes as [SimNode, SimNode, SimNode];
    const others = Array.from({ length: 65_536 }, (_, index) => `x${index}`);
    relay.flights.want(leaf.id, 0, others);
    expect(() => relay.flights.want(leaf.id, 0, ["one too many"])).toThrow("keeps asking");
  });

  test("whose channel broke is told so for all that it waits for or will ask for", () => {
    const sim = asking();
    const [, relay, leaf] = sim.nodes as [SimNode, SimNode, SimNode];
    sim.need(leaf, "a");
    sim.drain();
    expect(leaf.outcomes.get("a")).toBe("landed");
    relay.flights.broken(leaf.id, new MopError("LINK_LOST", "it broke"));
    sim.evict(leaf, "a");
    sim.need(leaf, "a");
    sim.drain();
    expect(leaf.outcomes.get("a")).toMatchObject({ code: "LINK_LOST" });
  });

  test("is told when the channel breaks while its blob is on the way", () => {
    const sim = asking();
    const [, relay, leaf] = sim.nodes as [SimNode, SimNode, SimNode];
    sim.need(leaf, "a");
    // The question goes up, the blob comes down to the relay and leaves it.
    for (const [to, what] of [
      [leaf, 4],
      [leaf, 2],
      [relay, 4],
      [relay, 2],
      [relay, 3],
      [relay, 3],
      [relay, 1],
      [leaf, 3],
      [leaf, 3],
    ] as const)
      expect(sim.step(to, what)).toBe(true);
    expect(leaf.link.blobs).toHaveLength(1);
    leaf.link.blobs.length = 0;
    relay.flights.broken(leaf.id, new MopError("LINK_LOST", "it broke"));
    sim.drain();
    expect(leaf.outcomes.get("a")).toMatchObject({ code: "LINK_LOST" });
  });
});

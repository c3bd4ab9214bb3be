import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { amountOf, batchSizes } from "../../../engine/controller/run/batches.js";
import type { Amount, Serial } from "../../../engine/vocabulary/language.js";
import type { LeafResult } from "../../../engine/vocabulary/order.js";
import { MopError } from "../../../transport/errors.js";
import { INVENTORY, OK, runScripted, twoRoles } from "./scripted.js";

const FAILED: LeafResult = { kind: "role", status: "failed", error: "no" };

/** Twelve hosts h01 to h12. */
const TWELVE = `[groups.web.hosts]\n${Array.from(
  { length: 12 },
  (_, i) => `h${String(i + 1).padStart(2, "0")} = "mop_host=192.0.2.${i + 1}"`,
).join("\n")}\n`;

interface Played {
  readonly entries: string;
  readonly bad?: readonly string[];
  readonly inventory?: string;
  readonly unreachable?: readonly string[];
}

/** Plays roles whose hooks and leaves tell what happens, in order. */
async function play({ entries, bad = [], inventory = TWELVE, unreachable = [] }: Played) {
  const said: string[] = [];
  const name = `mop:order:${Math.random()}`;
  Reflect.set(globalThis, name, said);
  try {
    const run = await runScripted({
      files: {
        "policy.ts": twoRoles(
          entries,
          `const say = (text) => globalThis[${JSON.stringify(name)}].push(text);`,
        ),
        "inventory.toml": inventory,
      },
      async leaf({ order, plan }) {
        const host = order.kind === "role" ? order.host.name : "";
        said.push(`${plan.role} ${host}`);
        await new Promise(setImmediate);
        said.push(`end ${host}`);
        return bad.includes(host) ? FAILED : OK;
      },
      mesh: {
        unreachable: Object.fromEntries(
          unreachable.map((host) => [host, { at: host, error: new MopError("LINK_LOST", `${host}: gone`) }]),
        ),
      },
    });
    const stopped = run.events.filter((event) => event.event === "stopped");
    return { ...run, said, stopped };
  } finally {
    Reflect.deleteProperty(globalThis, name);
  }
}

const ran = (said: readonly string[], role = "first") =>
  said.filter((line) => line.startsWith(`${role} `)).map((line) => line.slice(role.length + 1));

describe("batches", () => {
  const amount = fc.oneof(
    fc.integer({ min: 1, max: 50 }),
    fc.integer({ min: 1, max: 100 }).map((n): Amount => `${n}%`),
  );
  const serial: fc.Arbitrary<Serial> = fc.oneof(amount, fc.array(amount, { minLength: 1, maxLength: 4 }));

  it("give every host its turn exactly once, and none is empty", () => {
    fc.assert(
      fc.property(serial, fc.integer({ min: 0, max: 300 }), (steps, hosts) => {
        const sizes = batchSizes(steps, hosts);
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(hosts);
        for (const size of sizes) expect(size).toBeGreaterThan(0);
      }),
    );
  });

  it.each<[Serial | undefined, number, number[]]>([
    [undefined, 5, [5]],
    [2, 5, [2, 2, 1]],
    ["25%", 12, [3, 3, 3, 3]],
    ["10%", 5, [1, 1, 1, 1, 1]],
    [[1, "10%", "100%"], 20, [1, 2, 17]],
    [[1, 3], 12, [1, 3, 3, 3, 2]],
  ])("of serial %j over %i hosts are %j", (steps, hosts, sizes) => {
    expect(batchSizes(steps, hosts)).toEqual(sizes);
  });

  it("count percentages of failures downwards", () => {
    expect(amountOf("25%", 7)).toBe(1);
    expect(amountOf("0%", 7)).toBe(0);
  });
});

describe("a rolling update of 12 hosts, serial [1, 3, 100%], in which host 5 fails", () => {
  const HOOKS = `beforeContact(host) { say("out " + host.name); }, afterContact(host, result) { say("in " + host.name + " " + result.status); }`;

  it("finishes the batch of host 1, fails in the next but one, and has no more to stop", async () => {
    const { said, result, stopped } = await play({
      entries: `{ role: first, serial: [1, 3, "100%"], ${HOOKS} }`,
      bad: ["h05"],
    });
    expect(ran(said)).toHaveLength(12);
    expect(result.failed).toEqual(["h05"]);
    expect(stopped).toEqual([]);
  });

  it("with batches of 3 from the second on leaves out exactly those after the one that failed", async () => {
    const { said, stopped } = await play({
      entries: `{ role: first, serial: [1, 3], ${HOOKS} }, { role: second }`,
      bad: ["h05"],
    });
    expect(ran(said)).toEqual(["h01", "h02", "h03", "h04", "h05", "h06", "h07"]);
    expect(stopped).toEqual([
      {
        event: "stopped",
        role: "first",
        hosts: ["h08", "h09", "h10", "h11", "h12"],
        reason: "role first failed on h05",
      },
      expect.objectContaining({ role: "second", reason: "role first failed on h05" }),
    ]);
    expect(ran(said, "second")).toEqual([]);
  });

  it("takes no host out before the batch ahead is back in, also after its failure", async () => {
    const { said } = await play({
      entries: `{ role: first, serial: [1, 3, "100%"], ${HOOKS} }`,
      bad: ["h05"],
    });
    const at = (line: string) => said.indexOf(line);
    expect(at("in h01 ok")).toBeLessThan(at("out h02"));
    for (const host of ["h02", "h03", "h04"]) {
      expect(at(`out ${host}`)).toBeLessThan(at(`first ${host}`));
      expect(at(`end ${host}`)).toBeLessThan(at(`in ${host} ok`));
      expect(at(`in ${host} ok`)).toBeLessThan(at("out h05"));
    }
    expect(said).toContain("in h05 failed");
    expect(said.filter((line) => line.startsWith("out "))).toHaveLength(12);
    expect(said.filter((line) => line.startsWith("in "))).toHaveLength(12);
  });
});

describe("maxFailures", () => {
  it("lets so many fail, and leaves the failed ones out of what comes later", async () => {
    const { said, stopped } = await play({
      entries: `{ role: first, serial: 4, maxFailures: 1 }, { role: second }`,
      bad: ["h02"],
    });
    expect(ran(said)).toHaveLength(12);
    expect(stopped).toEqual([]);
    expect(ran(said, "second")).toHaveLength(11);
    expect(ran(said, "second")).not.toContain("h02");
  });

  it("counts over all batches, and as a part of all hosts", async () => {
    const { said, stopped } = await play({
      entries: `{ role: first, serial: 3, maxFailures: "10%" }`,
      bad: ["h02", "h05"],
    });
    expect(ran(said)).toHaveLength(6);
    expect(stopped).toEqual([
      expect.objectContaining({
        hosts: ["h07", "h08", "h09", "h10", "h11", "h12"],
        reason: "role first failed on h02, h05; at most 1 may be lost",
      }),
    ]);
  });

  it("an unreachable host stops the next batch too, and later roles", async () => {
    const { said, stopped } = await play({
      entries: "{ role: first, serial: 6 }, { role: second }",
      unreachable: ["h01"],
    });
    expect(ran(said)).toEqual(["h02", "h03", "h04", "h05", "h06"]);
    expect(stopped.map(({ role, reason }) => [role, reason])).toEqual([
      ["first", "role first could not reach h01"],
      ["second", "role first could not reach h01"],
    ]);
  });
});

describe("runOnce", () => {
  it("runs on the first host alone", async () => {
    const { said } = await play({ entries: "{ role: first, runOnce: true }, { role: second }" });
    expect(ran(said)).toEqual(["h01"]);
    expect(ran(said, "second")).toHaveLength(12);
  });

  it("takes the next host when the first can't be reached", async () => {
    const { said, result } = await play({ entries: "{ role: first, runOnce: true }", unreachable: ["h01"] });
    expect(ran(said)).toEqual(["h02"]);
    expect(result.unreachable).toEqual(["h01"]);
  });

  it("goes no further when it failed there", async () => {
    const { said, stopped } = await play({
      entries: "{ role: first, runOnce: true }, { role: second }",
      bad: ["h01"],
    });
    expect(ran(said)).toEqual(["h01"]);
    expect(stopped).toEqual([
      expect.objectContaining({ role: "second", reason: "role first failed on h01" }),
    ]);
  });
});

describe("delegate", () => {
  it("runs a host's part on another node, with the host's own name and variables", async () => {
    const { steps, said, events } = await play({
      entries: `{ role: first, delegate: "b1" }`,
      inventory: INVENTORY,
    });
    expect(ran(said).sort()).toEqual(["l1", "l2", "l3"]);
    expect(steps.filter((step) => step.startsWith("wing"))).toEqual(["wing b1", "wing b1", "wing b1"]);
    expect(events).toContainEqual({ event: "role", role: "first", host: "l2", status: "ok" });
  });

  it("may be found for each host, and undefined is the host itself", async () => {
    const { steps } = await play({
      entries: `{ role: first, delegate: (host) => host.name === "l1" ? "b2" : undefined }`,
      inventory: INVENTORY,
    });
    expect(steps.filter((step) => step.startsWith("wing")).sort()).toEqual(["wing b2", "wing l2", "wing l3"]);
  });

  it("to a host that can't be reached fails the hosts that are delegated there", async () => {
    const { result, events } = await play({
      entries: `{ role: first, delegate: "b1", hosts: ["l1"] }`,
      inventory: INVENTORY,
      unreachable: ["b1"],
    });
    expect(result.failed).toEqual(["l1"]);
    expect(events).toContainEqual(
      expect.objectContaining({
        event: "role",
        host: "l1",
        error: expect.stringContaining("delegated to b1"),
      }),
    );
  });

  it("to a host that the inventory doesn't have is refused before anything is contacted", async () => {
    await expect(play({ entries: `{ role: first, delegate: "b7" }` })).rejects.toThrow(
      /role first: h01 is delegated to "b7", which is not in .*inventory\.toml/,
    );
  });
});

describe('strategy "free"', () => {
  it("lets each host go through neighbouring roles at its own pace, and waits behind them", async () => {
    const said: string[] = [];
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await runScripted({
      files: {
        "policy.ts": twoRoles(
          `{ role: first, strategy: "free" }, { role: second, strategy: "free" }, { role: third }`,
          `const third = defineRole({ name: "third", main() {} });`,
        ),
        "inventory.toml": INVENTORY,
      },
      async leaf({ host, plan }) {
        said.push(`${plan.role} ${host}`);
        if (host === "l1" && plan.role === "first") await held;
        if (host !== "l1" && plan.role === "second") letGo();
        return OK;
      },
    });
    expect(said.indexOf("second l2")).toBeLessThan(said.indexOf("second l1"));
    expect(said.slice(6).sort()).toEqual(["third l1", "third l2", "third l3"]);
  });

  it("a host that failed stops for itself, and nothing comes after the stage", async () => {
    const { said, stopped } = await play({
      entries:
        `{ role: first, strategy: "free" }, { role: second, strategy: "free" }, { role: third }`.replace(
          "third",
          "first",
        ),
      inventory: INVENTORY,
      bad: ["l1"],
    });
    expect(ran(said, "second").sort()).toEqual(["l2", "l3"]);
    expect(stopped).toEqual([
      { event: "stopped", role: "second", hosts: ["l1"], reason: "role first failed there" },
      { event: "stopped", role: "first", hosts: ["l2", "l3"], reason: "role first failed on l1" },
    ]);
  });
});

describe("what a policy says of the order is checked", () => {
  it.each([
    ["serial: 0", /`serial` is 0; give a whole number from 1 up/],
    ["serial: []", /`serial` is \[\]/],
    ['serial: [1, "x"]', /`serial` is \[1,"x"\]/],
    ['serial: "0%"', /`serial` is "0%"/],
    ['maxFailures: "120%"', /`maxFailures` is "120%"/],
    ["maxFailures: -1", /`maxFailures` is -1/],
    ['runOnce: "yes"', /`runOnce` is neither true nor false/],
    ["delegate: 3", /`delegate` is neither a host's name nor a function/],
    ['strategy: "linear"', /`strategy` is "linear"/],
    ['strategy: "free", serial: 2', /`serial` makes hosts wait for each other/],
  ])("%s", async (option, message) => {
    await expect(play({ entries: `{ role: first, ${option} }` })).rejects.toThrow(message);
  });
});

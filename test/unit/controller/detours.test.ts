import { describe, expect, it } from "vitest";
import type { HostEvent } from "../../../engine/vocabulary/events.js";
import { MopError } from "../../../transport/errors.js";
import { OK, runScripted, type Scripted, twoRoles } from "./scripted.js";

const INVENTORY = `
[groups.web.hosts]
l1 = ""
l2 = ""
[groups.web.vars]
mop_via = "b1|alt1"
`;
const refused = (at: string) => ({ at, error: new MopError("CONNECT_REFUSED", `can't connect to ${at}`) });

const OPTIONAL = {
  "policy.ts": twoRoles(`{ role: first, groups: ["web"] }`),
  "inventory.toml": INVENTORY.replace("b1|alt1", "?b1"),
};

async function run(
  unreachable: Record<string, { at: string; error: MopError }>,
  more: Partial<Scripted> = {},
) {
  const reached: string[] = [];
  const files = {
    "policy.ts": twoRoles(`{ role: first, groups: ["web"], serial: 1 }, { role: second, groups: ["web"] }`),
    "inventory.toml": INVENTORY,
  };
  const ran = await runScripted({
    files,
    ...more,
    mesh: { unreachable, onReach: (route) => reached.push(route), ...more.mesh },
  });
  const hosts = ran.events.filter((event): event is HostEvent => event.event === "host");
  return { ...ran, reached, hosts };
}

describe("a host that there are two ways to", () => {
  it("is reached by the first alternative, and the other is left alone", async () => {
    const { result, hosts, reached } = await run({});
    expect(result.unreachable).toEqual([]);
    expect(hosts).toMatchObject([{ route: ["b1", "l1"] }, { route: ["b1", "l2"] }]);
    expect(hosts.some((host) => "detours" in host)).toBe(false);
    expect(reached).toEqual(["b1>l1", "b1>l2"]);
  });
  it("is reached by the second where the first is dead, offered all it needs, and says so once a run", async () => {
    const { result, hosts, steps } = await run({
      "controller>b1>l1": refused("b1"),
      "controller>b1>l2": refused("b1"),
    });
    expect(result.unreachable).toEqual([]);
    expect(result.failed).toEqual([]);
    expect(result.summary.hosts).toMatchObject({ l1: { unreachable: false }, l2: { unreachable: false } });
    expect(hosts[0]).toMatchObject({
      state: "connected",
      route: ["alt1", "l1"],
      detours: [{ at: "b1", reason: "can't connect to b1" }],
    });
    expect(steps.filter((step) => step === "wing l1")).toHaveLength(2);
  });
  it("tries last what another host of the run found dead", async () => {
    const { reached, hosts } = await run({
      "controller>b1>l1": refused("b1"),
      "controller>b1>l2": refused("b1"),
    });
    expect(reached).toEqual(["b1>l1", "alt1>l1", "alt1>l2"]);
    expect(hosts[1]).toMatchObject({ host: "l2", route: ["alt1", "l2"] });
    expect(hosts[1]).not.toHaveProperty("detours");
  });
  it("is unreachable with one sentence that names both ways when both fail", async () => {
    const { result, hosts } = await run({
      "controller>b1>l1": refused("b1"),
      "controller>alt1>l1": refused("alt1"),
    });
    expect(result.unreachable).toEqual(["l1"]);
    expect(hosts[0]).toMatchObject({
      state: "unreachable",
      at: "alt1",
      reason:
        "none of the 2 ways that were tried leads to l1 (over b1: b1: can't connect to b1; over alt1: alt1: can't connect to alt1)",
    });
  });
  it("is not asked again over the other way when it refused the login itself", async () => {
    const error = new MopError("AUTH_REFUSED", "l1 refused the login");
    const { hosts, reached } = await run({ "controller>b1>l1": { at: "l1", error } });
    expect(hosts[0]).toMatchObject({ state: "unreachable", at: "l1", reason: "l1 refused the login" });
    expect(reached).not.toContain("alt1>l1");
  });
  it("stays unreachable when it was lost in the middle of a role: nothing is run there twice", async () => {
    const started: string[] = [];
    const { result, reached } = await run(
      {},
      {
        leaf: async ({ host, node, plan }) => {
          started.push(`${host} ${plan.role}`);
          if (host !== "l1") return OK;
          node.kill(new MopError("LINK_LOST", "The link broke"));
          return new Promise(() => undefined);
        },
      },
    );
    expect(result.unreachable).toEqual(["l1"]);
    expect(reached.filter((route) => route.endsWith("l1"))).toEqual(["b1>l1"]);
    expect(started.filter((one) => one.startsWith("l1"))).toHaveLength(1);
  });
  it("goes through an optional hop where another machine answers directly, which is nothing to tell", async () => {
    const error = new MopError("HOST_KEY_UNKNOWN", "the host key is unknown");
    const { hosts, reached } = await run({ "controller>l1": { at: "l1", error } }, { files: OPTIONAL });
    // The second host waits for how the first one fares, and need not try
    expect(reached).toEqual(["l1", "b1>l1", "b1>l2"]);
    expect(hosts.map((host) => (host.state === "connected" ? host.route : host))).toEqual([
      ["b1", "l1"],
      ["b1", "l2"],
    ]);
    expect(hosts.some((host) => "detours" in host)).toBe(false);
  });
  it("leaves an optional hop out for all hosts where the first one is reached so", async () => {
    const { hosts, reached, result } = await run({}, { files: OPTIONAL });
    expect(reached).toEqual(["l1", "l2"]);
    expect(hosts).toHaveLength(2);
    expect(result.failed).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { resolveInventory } from "../../../engine/controller/inventory/inventory.js";
import { type RouteOptions, routePlanner } from "../../../engine/controller/route/routes.js";
import type { SshSettings } from "../../../engine/controller/route/ssh-settings.js";
import type { RawInventory } from "../../../engine/vocabulary/inventory.js";
import { rejection } from "./temp-folder.js";

const planner = (raw: RawInventory, options: RouteOptions = {}) =>
  routePlanner(resolveInventory(raw, "inv"), { env: { USER: "me" }, ...options });
const names = async (raw: RawInventory, host: string, options: RouteOptions = {}) =>
  (await planner(raw, options).route(host)).map((hop) => hop.target.name);

const NESTED: RawInventory = {
  groups: { web: { hosts: { l1: "mop_host=10.0.0.11" }, vars: { mop_via: "b2" } } },
  hosts: {
    b2: { vars: { mop_via: "b1", mop_host: "10.0.0.2", mop_port: 2222 } },
    b1: { vars: { mop_user: "jump" } },
  },
};

describe("routes", () => {
  it("follow mop_via from bastion to bastion", async () => {
    const hops = await planner(NESTED).route("l1");
    expect(
      hops.map((hop) => [hop.target.name, hop.target.address, hop.target.port, hop.target.user, hop.kind]),
    ).toEqual([
      ["b1", "b1", 22, "jump", "relay"],
      ["b2", "10.0.0.2", 2222, "me", "relay"],
      ["l1", "10.0.0.11", 22, "me", "relay"],
    ]);
  });
  it("begin at this machine where its name is on the way, and have it nowhere else", async () => {
    const hosts = (via: string): RawInventory => ({
      hosts: { here: { vars: { mop_hop: "local" } }, l1: { vars: { mop_via: via } } },
    });
    const [first, second] = await planner(hosts("here")).route("l1");
    expect([first!.kind, second!.kind]).toEqual(["local", "relay"]);
    await expect(planner(hosts("b1, here")).route("l1")).rejects.toThrow(
      /here is this machine .*can't stand behind b1/,
    );
  });
  it("pass a bastion as a relay under auto, or as a jump where no node can be had; a target and a named kind only so", async () => {
    const via = (hop: string): RawInventory => ({
      hosts: { b1: { vars: { mop_hop: hop } }, l1: { vars: { mop_via: "b1" } } },
    });
    const [auto, target] = await planner(via("auto")).route("l1");
    expect([auto!.kind, auto!.orJump, target!.kind, target!.orJump]).toEqual([
      "relay",
      true,
      "relay",
      undefined,
    ]);
    for (const kind of ["relay", "sealed", "jump"]) {
      const [named] = await planner(via(kind)).route("l1");
      expect([named!.kind, named!.orJump]).toEqual([kind, undefined]);
    }
  });
  it("read chains", async () => {
    expect(await names({ hosts: { l1: { vars: { mop_via: "b1, b2" } } } }, "l1")).toEqual(["b1", "b2", "l1"]);
  });
  it("let --via take the place of mop_via, with the first one's own mop_via still counting", async () => {
    expect(await names(NESTED, "l1", { via: ["x@b9:99"] })).toEqual(["b9", "l1"]);
    expect(await names(NESTED, "l1", { via: ["b2"] })).toEqual(["b1", "b2", "l1"]);
    expect(await names(NESTED, "l1", { via: ["b1", "b2"] })).toEqual(["b1", "b2", "l1"]);
    const [hop] = await planner(NESTED, { via: ["x@b9:99"] }).route("l1");
    expect(hop!.target).toMatchObject({ address: "b9", user: "x", port: 99 });
  });
  it("end for a bastion before itself when its group or --via names it", async () => {
    const raw: RawInventory = {
      groups: { all: { hosts: { b1: "", b2: "", l1: "" }, vars: { mop_via: "b1,b2" } } },
    };
    expect(await names(raw, "b1")).toEqual(["b1"]);
    expect(await names(raw, "b2")).toEqual(["b1", "b2"]);
    expect(await names(raw, "l1")).toEqual(["b1", "b2", "l1"]);
    expect(await names(NESTED, "b2", { via: ["b1", "b2"] })).toEqual(["b1", "b2"]);
  });
  it("refuse circles", async () => {
    const raw: RawInventory = { hosts: { a: { vars: { mop_via: "b" } }, b: { vars: { mop_via: "a" } } } };
    expect((await rejection(names(raw, "a"))).message).toMatch(
      /the route to a leads in a circle: a via b via a/,
    );
  });
  it("apply ssh_config where the inventory is silent, ProxyJump included", async () => {
    const config: Record<string, SshSettings> = {
      l1: {
        hostName: "1.2.3.4",
        user: "conf",
        port: 2022,
        proxyJump: "hop@bastion:24",
        identityFiles: ["/k"],
      },
      bastion: { hostName: "9.9.9.9", hostKeys: "accept-new", proxyJump: "none" },
    };
    const raw: RawInventory = { hosts: { l1: { vars: { mop_port: 23 } } } };
    const hops = await planner(raw, { sshConfig: async (name) => config[name] ?? {} }).route("l1");
    expect(hops.map((hop) => hop.target)).toMatchObject([
      { name: "bastion", address: "9.9.9.9", user: "hop", port: 24, hostKeys: "accept-new" },
      { name: "l1", address: "1.2.3.4", user: "conf", port: 23, identityFiles: ["/k"], hostKeys: "strict" },
    ]);
    const direct: RawInventory = { hosts: { l1: { vars: { mop_via: "" } } } };
    expect(
      (await planner(direct, { sshConfig: async (name) => config[name] ?? {} }).route("l1")).length,
    ).toBe(1);
  });
  it("pass bastions as mop_hop says, and give every target a node", async () => {
    const raw: RawInventory = {
      hosts: {
        s: { vars: { mop_hop: "sealed" } },
        j: { vars: { mop_hop: "jump" } },
        l1: { vars: { mop_via: "s,j", mop_hop: "jump", mop_node: "/opt/node" } },
      },
    };
    const hops = await planner(raw).route("l1");
    expect(hops.map((hop) => hop.kind)).toEqual(["sealed", "jump", "relay"]);
    expect(hops.at(-1)!.node).toBe("/opt/node");
  });
  it("let a Node be brought where mop_node says push, also into containers, and look for one here", async () => {
    const vars = { mop_node: "push" };
    const raw: RawInventory = {
      hosts: {
        b1: { vars },
        l1: { vars: { ...vars, mop_via: "b1" } },
        box: { vars: { ...vars, mop_hop: "docker", mop_via: "l1" } },
        here: { vars: { ...vars, mop_hop: "local" } },
      },
    };
    const hops = await planner(raw).route("box");
    expect(hops.map(({ node, bring }) => ({ node, bring }))).toEqual(
      Array(3).fill({ node: "", bring: true }),
    );
    expect(await planner(raw).route("here")).toMatchObject([{ kind: "local", node: "" }]);
  });
  it("give passwords to their own host, and --ask-pass to targets only", async () => {
    const raw: RawInventory = {
      hosts: { b1: {}, l1: { vars: { mop_via: "b1" } }, l2: { vars: { mop_password: "own" } } },
    };
    const plan = planner(raw, { password: "asked" });
    expect((await plan.route("l1")).map((hop) => hop.target.password)).toEqual([undefined, "asked"]);
    expect((await plan.route("l2")).map((hop) => hop.target.password)).toEqual(["own"]);
  });
  it("take IPv6 addresses with brackets or without", async () => {
    const raw: RawInventory = {
      hosts: {
        a: { vars: { mop_host: "::1" } },
        b: { vars: { mop_host: "[fe80::1%eth0]", mop_via: "d@[::2]:24" } },
      },
    };
    const targets = async (name: string) => (await planner(raw).route(name)).map((hop) => hop.target);
    expect(await targets("a")).toMatchObject([{ address: "::1", port: 22 }]);
    expect(await targets("b")).toMatchObject([
      { address: "::2", port: 24, user: "d" },
      { address: "fe80::1%eth0", port: 22 },
    ]);
  });
  it("use mop_identity alone, and --identity before it", async () => {
    const raw: RawInventory = { hosts: { l1: { vars: { mop_identity: "keys/a" } } } };
    const [hop] = await planner(raw, { identity: "/first", folder: "/inv" }).route("l1");
    expect(hop!.target.identityFiles).toEqual(["/first", "/inv/keys/a"]);
    expect(hop!.target.identitiesOnly).toBe(true);
  });
  const bad: [RawInventory, RegExp][] = [
    [
      { hosts: { l1: { vars: { mop_port: 70000 } } } },
      /inv: host l1: mop_port is 70000; give a number from 1/,
    ],
    [
      { hosts: { l1: { vars: { mop_hop: "proxy" } } } },
      /inv: host l1: mop_hop is "proxy"; known are relay, sealed, jump/,
    ],
    [
      { hosts: { l1: { vars: { mop_host: "10.0.0.2:2222" } } } },
      /mop_host is "10.0.0.2:2222"; the port goes into mop_port/,
    ],
    [
      { hosts: { l1: { vars: { mop_host: "-oProxyCommand=x" } } } },
      /mop_host is "-oProxyCommand=x", which is no host/,
    ],
    [
      { hosts: { l1: { vars: { mop_become: "deploy" } } } },
      /inv: host l1: mop_become is "deploy"; give true or false; whom to become is in mop_become_user/,
    ],
    [
      { hosts: { l1: { vars: { mop_optional: 2 } } } },
      /inv: host l1: mop_optional is 2; give true or false$/,
    ],
    [{ hosts: { l1: { vars: { mop_via: "a b" } } } }, /"a b" is no host; write \[user@\]host\[:port\]/],
  ];
  it.each(bad)("name host and variable in errors %#", async (raw, pattern) => {
    expect((await rejection(names(raw, "l1"))).message).toMatch(pattern);
  });
});

describe("several ways to a host", () => {
  const ways = async (raw: RawInventory, host: string, options: RouteOptions = {}) =>
    (await planner(raw, options).ways(host)).map(({ hops }) => hops.map((hop) => hop.target.name).join(" "));

  it("are one for each alternative, the first named first, in mop_via as in --via", async () => {
    const raw: RawInventory = { hosts: { l1: { vars: { mop_via: "b1 | alt1, b2|alt2" } } } };
    expect(await ways(raw, "l1")).toEqual(["b1 b2 l1", "b1 alt2 l1", "alt1 b2 l1", "alt1 alt2 l1"]);
    expect(await ways(raw, "l1", { via: ["x@b8:99|b9"] })).toEqual(["b8 l1", "b9 l1"]);
    expect(await names(raw, "l1")).toEqual(["b1", "b2", "l1"]);
  });
  it("follow each alternative's own mop_via, and that of what stands before them", async () => {
    const raw: RawInventory = {
      hosts: {
        l1: { vars: { mop_via: "b2|b3" } },
        b2: { vars: { mop_via: "b1|alt1" } },
        b3: { vars: {} },
      },
    };
    expect(await ways(raw, "l1")).toEqual(["b1 b2 l1", "alt1 b2 l1", "b3 l1"]);
  });
  it("end for an alternative before the entry that it stands in", async () => {
    const raw: RawInventory = {
      groups: { all: { hosts: { alt1: "", b2: "" }, vars: { mop_via: "b1|alt1, b2" } } },
    };
    expect(await ways(raw, "alt1")).toEqual(["alt1"]);
    expect(await ways(raw, "b2")).toEqual(["b1 b2", "alt1 b2"]);
  });
  it("begin with the ones that leave an optional hop out, and all before it", async () => {
    const vars = { mop_via: "b1, ?b2" };
    expect(await ways({ hosts: { l1: { vars } } }, "l1")).toEqual(["l1", "b1 b2 l1"]);
    const raw: RawInventory = {
      hosts: {
        l1: { vars: { mop_via: "b2" } },
        b2: { vars: { mop_via: "b1" } },
        b1: { vars: { mop_optional: true } },
      },
    };
    expect(await ways(raw, "l1")).toEqual(["b2 l1", "b1 b2 l1"]);
    expect(await names(raw, "l1")).toEqual(["b1", "b2", "l1"]);
  });
  it("give a host that is dialled without its hop 2 s, and accept no new key of it", async () => {
    const raw: RawInventory = { hosts: { l1: { vars: { mop_via: "?b1" } } } };
    const [direct, through] = await planner(raw, { hostKeys: "accept-new" }).ways("l1");
    expect(direct.hops[0]!.target).toMatchObject({ name: "l1", hostKeys: "strict", tcpTimeoutMs: 2000 });
    expect(through!.hops.map(({ target }) => target.hostKeys)).toEqual(["accept-new", "accept-new"]);
    expect(through!.hops.map(({ target }) => target.tcpTimeoutMs)).toEqual([undefined, undefined]);
  });
  it("refuse an alternative that is missing, one that is passed twice, and more than can be meant", async () => {
    const say = async (via: string) =>
      (await rejection(ways({ hosts: { l1: { vars: { mop_via: via } } } }, "l1"))).message;
    expect(await say("b1|")).toMatch(
      /the route to l1: "b1\|" lacks a host; alternatives are written as in b1\|alt1/,
    );
    expect(await say("b1|b2, b2")).toMatch(/the route to l1 passes b2 twice: b2, b2, l1/);
    expect(await say("a|b|c, d|e|f, g|h|i")).toMatch(
      /the route to l1 has \d+ ways or more, at most 16 are tried/,
    );
  });
});

import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  resolveInventory,
  selectHosts,
  unknownPatterns,
} from "../../../engine/controller/inventory/inventory.js";
import { matcher } from "../../../engine/controller/inventory/patterns.js";
import { parseShorthand } from "../../../engine/controller/inventory/shorthand.js";
import { loadInventory } from "../../../engine/controller/inventory/source.js";
import { PolicyError } from "../../../engine/controller/policy-error.js";
import { tomlInventory } from "../../../engine/vocabulary/language.js";
import { rejection, tempFolder } from "./temp-folder.js";

const names = (hosts: readonly { name: string }[]) => hosts.map((host) => host.name);

describe("an inventory", () => {
  it("reads the example of the interface", async () => {
    const folder = await tempFolder({
      "inventory.toml": `[groups.web.hosts]
l1 = "mop_host=10.0.0.11 color=blue"
l2 = { mop_host = "10.0.0.12" }
l3 = ""
[groups.web.vars]
mop_via = "b2"
[hosts.b2.vars]
mop_host = "10.0.0.2"
mop_via = "b1"
[groups.all.vars]
mop_user = "deploy"`,
    });
    const inventory = await loadInventory(tomlInventory("inventory.toml"), folder);
    expect([...inventory.hosts.keys()].sort()).toEqual(["b2", "l1", "l2", "l3"]);
    expect(inventory.hosts.get("l1")).toMatchObject({
      groups: ["web"],
      vars: { mop_host: "10.0.0.11", color: "blue", mop_via: "b2", mop_user: "deploy" },
    });
    expect(inventory.hosts.get("b2")!.vars).toEqual({
      mop_host: "10.0.0.2",
      mop_via: "b1",
      mop_user: "deploy",
    });
    expect([...inventory.members].sort()).toEqual(["l1", "l2", "l3"]);
  });

  it("lets the nearer group win over the group that contains it, and the host over both", () => {
    const { hosts } = resolveInventory(
      {
        groups: {
          all: { vars: { a: "all", b: "all", c: "all", d: "all" } },
          site: { groups: ["web"], vars: { b: "site", c: "site", d: "site" } },
          web: { hosts: { l1: { d: "host" } }, vars: { c: "web", d: "web" } },
        },
      },
      "test",
    );
    expect(hosts.get("l1")).toMatchObject({
      groups: ["site", "web"],
      vars: { a: "all", b: "site", c: "web", d: "host" },
    });
  });

  it("takes functions, also async ones, and plain objects", async () => {
    const raw = { groups: { web: { hosts: { a: "x=1" } } } };
    for (const source of [raw, () => raw, async () => raw])
      expect((await loadInventory(source, "/")).hosts.get("a")!.vars).toEqual({ x: 1 });
  });

  it("reads OpsMop's names, and ours over them", () => {
    const { hosts } = resolveInventory(
      {
        hosts: { a: { vars: { opsmop_host: "h", opsmop_ssh_username: "u", opsmop_via: "b", mop_via: "c" } } },
      },
      "test",
    );
    expect(hosts.get("a")!.vars).toEqual({ mop_host: "h", mop_user: "u", mop_via: "c" });
  });

  const mistakes: [string, string, RegExp][] = [
    ["bad TOML", "[groups\n", /inventory\.toml:1:\d+: the inventory is no valid TOML/],
    ["an unclosed quote", `[groups.web.hosts]\nl1 = "a='b"`, /: groups\.web\.hosts\.l1: a ' is not closed/],
    [
      "a word without =",
      `[groups.web.hosts]\nl1 = "a=1 b"`,
      /: groups\.web\.hosts\.l1: "b" is no NAME=VALUE/,
    ],
    [
      "an unknown key",
      `[groups.web.host]\nl1 = ""`,
      /: groups\.web has the unknown key "host"; known are hosts, vars, groups/,
    ],
    [
      "a group that isn't there",
      `[groups.web]\ngroups = ["x"]`,
      /: groups\.web\.groups names "x", which is no group/,
    ],
    [
      "groups in a circle",
      `[groups.a]\ngroups = ["b"]\n[groups.b]\ngroups = ["a"]`,
      /: groups contain each other: a > b > a/,
    ],
    [
      "a bad name",
      `[groups.web.hosts]\n"-oProxyCommand=x" = ""`,
      /groups\.web\.hosts has the name "-oProxyCommand=x"/,
    ],
    ["a host that is a list", `[groups.web.hosts]\nl1 = []`, /groups\.web\.hosts\.l1 is no table/],
  ];
  it.each(mistakes)("tells %s with file and key", async (_name, text, pattern) => {
    const folder = await tempFolder({ "inventory.toml": text });
    const error = await rejection(loadInventory(tomlInventory("inventory.toml"), folder));
    expect(error).toBeInstanceOf(PolicyError);
    expect(error.message).toMatch(pattern);
    expect(error.message).toContain(path.join(folder, "inventory.toml"));
  });

  it("selects by patterns of groups and hosts, both to fit", () => {
    const inventory = resolveInventory(
      {
        groups: {
          web1: { hosts: { l1: "", l2: "" } },
          web2: { hosts: { l3: "" } },
          db: { hosts: { d1: "", l2: "" } },
        },
      },
      "test",
    );
    expect(names(selectHosts(inventory, {}))).toEqual(["l1", "l2", "l3", "d1"]);
    expect(names(selectHosts(inventory, { groups: ["web*"] }))).toEqual(["l1", "l2", "l3"]);
    expect(names(selectHosts(inventory, { groups: ["web*,!db"] }))).toEqual(["l1", "l3"]);
    expect(names(selectHosts(inventory, { groups: ["!db"] }))).toEqual(["l1", "l3"]);
    expect(names(selectHosts(inventory, { groups: ["web*"], hosts: ["l[12],!l1"] }))).toEqual(["l2"]);
    expect(unknownPatterns(inventory, { groups: ["web*", "wbe"], hosts: ["l9", "!d1"] })).toEqual({
      groups: ["wbe"],
      hosts: ["l9"],
    });
  });
});

describe("patterns", () => {
  it("match themselves when they hold no wildcard, whatever else they hold", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        fc.pre(!/[*?[,!\s]/.test(text) && text !== "");
        expect(matcher([text])(text)).toBe(true);
        expect(matcher([text])(`${text}x`)).toBe(false);
      }),
    );
  });
  it("know ranges and their negation", () => {
    expect(["l1", "l2", "l5", "la"].filter(matcher(["l[1-3]"]))).toEqual(["l1", "l2"]);
    expect(["l1", "l2", "l5", "la"].filter(matcher(["l[!1-3]"]))).toEqual(["l5", "la"]);
    expect(["l[1", "l1"].filter(matcher(["l[1"]))).toEqual(["l[1"]);
  });
});

describe("the shorthand", () => {
  it("reads quotes, numbers and truths", () => {
    expect(parseShorthand(`a=1 b='x y' c="q \\"z\\"" d=true e=0123 f="7" g=1.5 h= i=a=b`)).toEqual({
      a: 1,
      b: "x y",
      c: 'q "z"',
      d: true,
      e: "0123",
      f: "7",
      g: 1.5,
      h: "",
      i: "a=b",
    });
  });
  it("gives back any text that was quoted", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const quoted = `"${text.replace(/[\\"]/g, "\\$&")}"`;
        expect(parseShorthand(`k=${quoted} z=1`)).toEqual({ k: text, z: 1 });
      }),
    );
  });
});

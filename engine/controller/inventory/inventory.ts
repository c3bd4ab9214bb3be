import type { RawInventory } from "../../vocabulary/inventory.js";
import { PolicyError } from "../policy-error.js";
import { SECRETS_VAR } from "../route/connection-vars.js";
import { groupOrder, type ParsedGroup, parseInventory } from "./parse.js";
import { matcher, unmatched } from "./patterns.js";

export type InventoryVars = Readonly<Record<string, unknown>>;

export interface InventoryHost {
  readonly name: string;
  /** All groups that it belongs to, directly or through other groups, without `all`; sorted */
  readonly groups: readonly string[];
  /** Groups' variables, then the host's own over them */
  readonly vars: InventoryVars;
  /** The host's own only: tells what was said of it from what it inherited */
  readonly own: InventoryVars;
}

/** Hosts, groups and their variables, resolved. */
export interface Inventory {
  /** What messages call it: a file's path or "the policy's inventory" */
  readonly source: string;
  /** Every host that is named anywhere, in order of appearance */
  readonly hosts: ReadonlyMap<string, InventoryHost>;
  /** Members of each group, `all` included, in order of appearance */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** Hosts that stand in a group; where there is no group with hosts, all of them */
  readonly members: ReadonlySet<string>;
}

/** Checks the structure that a source returned and resolves groups. `source` names it in messages. */
export function resolveInventory(raw: RawInventory, source: string): Inventory {
  const parsed = parseInventory(raw, source);
  const members = groupMembers(parsed.groups, source);
  const names = new Set<string>();
  for (const hosts of members.values()) for (const host of hosts) names.add(host);
  const grouped = new Set(names);
  for (const host of parsed.hosts.keys()) names.add(host);
  const order = groupOrder(parsed.groups);
  const hosts = new Map<string, InventoryHost>();
  for (const name of names) {
    const groups = order.filter((group) => group === "all" || members.get(group)?.has(name));
    const own: Record<string, unknown> = {};
    for (const group of groups) layOver(own, parsed.groups.get(group)?.hosts.get(name));
    layOver(own, parsed.hosts.get(name));
    const vars: Record<string, unknown> = {};
    for (const group of groups) layOver(vars, parsed.groups.get(group)?.vars);
    layOver(vars, own);
    hosts.set(name, {
      name,
      groups: groups.filter((group) => group !== "all").sort(),
      vars,
      own,
    });
  }
  const lists = new Map([...members].map(([group, set]) => [group, [...set]] as const));
  lists.set("all", [...names]);
  return { source, hosts, groups: lists, members: grouped.size > 0 ? grouped : names };
}

/** The later value replaces the earlier one; but what was named as secret stays so. */
function layOver(vars: Record<string, unknown>, over: InventoryVars = {}): void {
  const named = [vars[SECRETS_VAR], over[SECRETS_VAR]].filter((names) => names !== undefined);
  Object.assign(vars, over);
  if (named.length > 1)
    vars[SECRETS_VAR] = named.flatMap((names) => (typeof names === "string" ? names.split(",") : names));
}

function groupMembers(groups: ReadonlyMap<string, ParsedGroup>, source: string): Map<string, Set<string>> {
  const done = new Map<string, Set<string>>();
  const visit = (name: string, trail: readonly string[]): Set<string> => {
    const known = done.get(name);
    if (known) return known;
    if (trail.includes(name))
      throw new PolicyError(`${source}: groups contain each other: ${[...trail, name].join(" > ")}`);
    const group = groups.get(name)!;
    const hosts = new Set(group.hosts.keys());
    for (const child of group.groups) for (const host of visit(child, [...trail, name])) hosts.add(host);
    done.set(name, hosts);
    return hosts;
  };
  for (const name of groups.keys()) visit(name, []);
  return new Map([...groups.keys()].map((name) => [name, done.get(name)!]));
}

export interface Selection {
  /** Patterns of group names; none given: any */
  readonly groups?: readonly string[] | undefined;
  /** Patterns of host names; none given: any */
  readonly hosts?: readonly string[] | undefined;
}

/** Hosts that fit both patterns, in the inventory's order. */
export function selectHosts(inventory: Inventory, selection: Selection): InventoryHost[] {
  const inHosts = matcher(selection.hosts ?? []);
  const { groups } = selection;
  const ofGroups = groups && groups.length > 0 ? hostsOfGroups(inventory, groups) : undefined;
  return [...inventory.hosts.values()].filter(
    (host) => inHosts(host.name) && (ofGroups === undefined || ofGroups.has(host.name)),
  );
}

/** A host is in when one of its groups is included and none is taken out. */
function hostsOfGroups(inventory: Inventory, patterns: readonly string[]): Set<string> {
  const included = matcher(
    patterns.flatMap((list) => list.split(",")).filter((p) => !p.trim().startsWith("!")),
  );
  const taken = patterns
    .flatMap((list) => list.split(","))
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern.startsWith("!"))
    .map((pattern) => matcher([pattern.slice(1)]));
  const result = new Set<string>();
  for (const [group, hosts] of inventory.groups)
    if (included(group)) for (const host of hosts) result.add(host);
  for (const [group, hosts] of inventory.groups)
    if (group !== "all" && taken.some((test) => test(group))) for (const host of hosts) result.delete(host);
  return result;
}

/** Patterns that fit no host or group of the inventory. */
export function unknownPatterns(
  inventory: Inventory,
  selection: Selection,
): { groups: string[]; hosts: string[] } {
  return {
    groups: unmatched(selection.groups ?? [], [...inventory.groups.keys()]),
    hosts: unmatched(selection.hosts ?? [], [...inventory.hosts.keys()]),
  };
}

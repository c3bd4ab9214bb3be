import { PolicyError } from "../policy-error.js";
import { isPlainObject } from "./plain.js";
import { parseShorthand, ShorthandError } from "./shorthand.js";

type Vars = Record<string, unknown>;

export interface ParsedGroup {
  readonly hosts: ReadonlyMap<string, Vars>;
  readonly vars: Vars;
  readonly groups: readonly string[];
}

export interface ParsedInventory {
  readonly groups: ReadonlyMap<string, ParsedGroup>;
  readonly hosts: ReadonlyMap<string, Vars>;
}

/** Names that can't be patterns, options or paths, and that a terminal shows as they are. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:@%+-]*$/;

/** Checks what a source returned; each error names the source and the key. */
export function parseInventory(raw: unknown, source: string): ParsedInventory {
  const top = table(raw, source, "the inventory");
  onlyKeys(top, ["groups", "hosts"], source, "the inventory");
  const groups = new Map<string, ParsedGroup>();
  for (const [name, body] of entries(top.groups, source, "groups"))
    groups.set(name, parseGroup(body, source, `groups.${name}`));
  for (const [name, group] of groups)
    for (const child of group.groups)
      if (!groups.has(child))
        throw new PolicyError(`${source}: groups.${name}.groups names "${child}", which is no group`);
  const hosts = new Map<string, Vars>();
  for (const [name, body] of entries(top.hosts, source, "hosts")) {
    const host = table(body, source, `hosts.${name}`);
    onlyKeys(host, ["vars"], source, `hosts.${name}`);
    hosts.set(name, canonicalVars(table(host.vars ?? {}, source, `hosts.${name}.vars`)));
  }
  return { groups, hosts };
}

function parseGroup(body: unknown, source: string, key: string): ParsedGroup {
  const group = table(body, source, key);
  onlyKeys(group, ["hosts", "vars", "groups"], source, key);
  const hosts = new Map<string, Vars>();
  for (const [name, vars] of entries(group.hosts, source, `${key}.hosts`))
    hosts.set(name, hostVars(vars, source, `${key}.hosts.${name}`));
  const children = group.groups ?? [];
  if (!Array.isArray(children) || !children.every((child) => typeof child === "string"))
    throw new PolicyError(`${source}: ${key}.groups is no list of group names`);
  return {
    hosts,
    vars: canonicalVars(table(group.vars ?? {}, source, `${key}.vars`)),
    groups: children as string[],
  };
}

function hostVars(value: unknown, source: string, key: string): Vars {
  if (typeof value !== "string") return canonicalVars(table(value, source, key));
  try {
    return canonicalVars(parseShorthand(value));
  } catch (error) {
    if (error instanceof ShorthandError) throw new PolicyError(`${source}: ${key}: ${error.message}`);
    throw error;
  }
}

const ALIASES: Readonly<Record<string, string>> = {
  opsmop_host: "mop_host",
  opsmop_port: "mop_port",
  opsmop_ssh_username: "mop_user",
  opsmop_ssh_password: "mop_password",
  opsmop_sudo_username: "mop_become_user",
  opsmop_sudo_password: "mop_become_password",
  opsmop_via: "mop_via",
};

/** OpsMop's names as ours; where both are given in one place, ours counts. */
function canonicalVars(vars: Vars): Vars {
  const result: Vars = {};
  for (const [name, value] of Object.entries(vars)) {
    const alias = ALIASES[name];
    if (alias === undefined) result[name] = value;
    else if (!Object.hasOwn(vars, alias)) result[alias] = value;
  }
  return result;
}

function table(value: unknown, source: string, key: string): Vars {
  if (!isPlainObject(value)) throw new PolicyError(`${source}: ${key} is no table`);
  return value;
}

function entries(value: unknown, source: string, key: string): [string, unknown][] {
  if (value === undefined) return [];
  const list = Object.entries(table(value, source, key));
  for (const [name] of list)
    if (!NAME.test(name))
      throw new PolicyError(
        `${source}: ${key} has the name ${JSON.stringify(name)}; allowed are letters, digits and _.:@%+-`,
      );
  return list;
}

function onlyKeys(value: Vars, allowed: readonly string[], source: string, key: string): void {
  for (const name of Object.keys(value))
    if (!allowed.includes(name))
      throw new PolicyError(
        `${source}: ${key} has the unknown key "${name}"; known are ${allowed.join(", ")}`,
      );
}

/**
 * Groups in the order in which their variables apply: `all` first, a group before the groups that it contains (the
 * nearer group wins), then by name.
 */
export function groupOrder(groups: ReadonlyMap<string, ParsedGroup>): string[] {
  const depth = new Map<string, number>();
  const visit = (name: string, level: number): void => {
    if (level > groups.size || (depth.get(name) ?? -1) >= level) return;
    depth.set(name, level);
    for (const child of groups.get(name)?.groups ?? []) visit(child, level + 1);
  };
  for (const name of groups.keys()) visit(name, 0);
  depth.set("all", -1);
  return [...depth.keys()].sort((a, b) => depth.get(a)! - depth.get(b)! || (a < b ? -1 : 1));
}

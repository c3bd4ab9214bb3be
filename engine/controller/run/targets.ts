import { existsSync } from "node:fs";
import path from "node:path";
import type { Become } from "../../../relay/boot/become.js";
import type { RoleEntry } from "../../vocabulary/language.js";
import {
  type Inventory,
  type InventoryHost,
  resolveInventory,
  type Selection,
  selectHosts,
  unknownPatterns,
} from "../inventory/inventory.js";
import { loadInventory, loadInventoryFile } from "../inventory/source.js";
import type { LoadedPolicy } from "../policy/load-policy.js";
import { PolicyError } from "../policy-error.js";
import { parseHopName } from "../route/address.js";
import { becomeOf } from "../route/become.js";
import { connectionVars, unknownConnectionVars } from "../route/connection-vars.js";
import { type RoutePlanner, routePlanner } from "../route/routes.js";
import { parseVia } from "../route/via.js";
import { withoutSecrets } from "../secrets/known-secrets.js";
import { type PasswordCommands, passwordCommands } from "../secrets/password-commands.js";
import type { TargetOptions } from "./options.js";

const INVENTORY = "inventory.toml";

/** The hosts that a run may concern, and the ways to them. */
export interface Targets {
  readonly inventory: Inventory;
  readonly planner: RoutePlanner;
  readonly passwords: PasswordCommands;
  /** After --limit-hosts and --limit-groups, without what only others pass through */
  readonly hosts: readonly InventoryHost[];
}

type PolicyInventory = Pick<LoadedPolicy, "policy" | "folder" | "positions">;

/** The file that was given, else the policy's own source, else ./inventory.toml. */
export async function openInventory(
  options: Pick<TargetOptions, "inventory" | "cwd">,
  policy?: PolicyInventory,
): Promise<{ inventory: Inventory; folder: string }> {
  const cwd = options.cwd ?? process.cwd();
  if (options.inventory !== undefined && typeof options.inventory !== "string")
    return { inventory: await loadInventory(options.inventory, cwd), folder: cwd };
  if (options.inventory !== undefined) {
    const file = path.resolve(cwd, options.inventory);
    return { inventory: await loadInventoryFile(file), folder: path.dirname(file) };
  }
  if (policy?.policy.inventory !== undefined) {
    const { folder } = policy;
    return {
      inventory: await loadInventory(policy.policy.inventory, folder, policy.positions.ofError),
      folder,
    };
  }
  const folder = policy?.folder ?? cwd;
  if (!existsSync(path.join(folder, INVENTORY)))
    throw new PolicyError(
      `there is no ${INVENTORY} in ${path.relative(cwd, folder) || "this folder"}${policy ? ", and the policy names no inventory" : ""}; give one with --inventory${policy ? ", or run it on this machine alone with mop local" : ""}`,
    );
  return { inventory: await loadInventoryFile(path.join(folder, INVENTORY)), folder };
}

export async function findTargets(options: TargetOptions, policy?: PolicyInventory): Promise<Targets> {
  const { inventory, folder } = await openInventory(options, policy);
  const passwords = passwordCommands({ folder, signal: options.signal });
  const planner = routePlanner(inventory, { folder, passwords, ...options.routes });
  const passed = passedThrough(inventory, options.routes?.via ?? []);
  const limits: Selection = { groups: options.limitGroups, hosts: options.limitHosts };
  checkLimits(inventory, limits);
  for (const warning of strangeVars(inventory)) options.onWarning?.(withoutSecrets(warning));
  const hosts = selectHosts(inventory, limits).filter((host) => !passed.has(host.name));
  return { inventory, planner, passwords, hosts };
}

/** This machine as the only host, whatever the policy's groups say. */
export function localTargets(): Targets {
  const inventory = resolveInventory(
    { hosts: { localhost: { vars: { mop_hop: "local" } } } },
    "this machine",
  );
  return {
    inventory,
    planner: routePlanner(inventory),
    passwords: passwordCommands(),
    hosts: [...inventory.hosts.values()],
  };
}

/** Bastions are no targets of their own: those of --via, and those outside of all groups that others go through. */
function passedThrough(inventory: Inventory, via: readonly string[]): Set<string> {
  const names = (entries: readonly string[], where: string) =>
    entries
      .flatMap((entry) => parseVia(entry, where).alternatives)
      .map((text) => (inventory.hosts.has(text) ? text : parseHopName(text, where).host));
  const passed = new Set(names(via, "--via"));
  for (const host of inventory.hosts.values()) {
    const where = `${inventory.source}: host ${host.name}`;
    for (const name of names(connectionVars(host.vars, where).via ?? [], where))
      if (!inventory.members.has(name)) passed.add(name);
  }
  return passed;
}

/** A misspelt connection variable would be ignored in silence, and the host reached in another way than was meant. */
function strangeVars({ hosts, source }: Inventory): string[] {
  const found = new Map<string, string>();
  for (const host of hosts.values())
    for (const { name, hint } of unknownConnectionVars(host.vars))
      if (!found.has(name))
        found.set(
          name,
          `${source}: host ${host.name}: ${name} is no connection variable${hint ? `; is ${hint} meant?` : ""}`,
        );
  return [...found.values()];
}

function checkLimits(inventory: Inventory, limits: Selection): void {
  const unknown = unknownPatterns(inventory, limits);
  const [host] = unknown.hosts;
  if (host !== undefined)
    throw new PolicyError(`--limit-hosts: "${host}" fits no host of ${inventory.source}`);
  const [group] = unknown.groups;
  if (group !== undefined)
    throw new PolicyError(`--limit-groups: "${group}" fits no group of ${inventory.source}`);
}

/** Whom to become on each of these hosts; those that are not in it become nobody else. */
export function becomesOf(
  hosts: readonly Pick<InventoryHost, "name" | "vars">[],
  { inventory, passwords }: Pick<Targets, "inventory" | "passwords">,
  options: Pick<TargetOptions, "become">,
  role?: RoleEntry["become"],
): Map<string, Become> {
  const found = new Map<string, Become>();
  for (const { name, vars } of hosts) {
    const become = becomeOf(
      role,
      connectionVars(vars, `${inventory.source}: host ${name}`),
      options.become ?? {},
      (command) => passwords(command, `${name}: mop_become_password_command`),
    );
    if (become) found.set(name, become);
  }
  return found;
}

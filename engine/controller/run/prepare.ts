import type { Hop } from "../../../relay/mesh/types.js";
import { PolicyFolder } from "../files/folder.js";
import { type InventoryHost, selectHosts, unknownPatterns } from "../inventory/inventory.js";
import { type LoadedPolicy, loadPolicy } from "../policy/load-policy.js";
import { mopNames, mopPackage } from "../policy/mop-package.js";
import { typeCheck } from "../policy/type-check.js";
import { PolicyError } from "../policy-error.js";
import { unknownConnectionVars } from "../route/connection-vars.js";
import { type PlainVars, travellingHostVars } from "../variables.js";
import type { RunOptions } from "./options.js";
import { type PreparedRole, prepareRole } from "./role-plan.js";
import { BECOME_OPTION, findTargets, localTargets, refuseBecome, type Targets } from "./targets.js";
import { readWing, type WingFiles } from "./wing-files.js";

/** A run that is ready to start: nothing was contacted, everything that can be wrong on this side was looked at. */
export interface PreparedRun {
  readonly options: RunOptions;
  readonly loaded: LoadedPolicy;
  readonly targets: Targets;
  readonly wing: WingFiles;
  readonly roles: readonly { readonly role: PreparedRole; readonly hosts: readonly InventoryHost[] }[];
  /** Every host of any role, by name */
  readonly hosts: ReadonlyMap<string, PreparedHost>;
}

export interface PreparedHost {
  readonly host: InventoryHost;
  readonly route: readonly Hop[];
  /** What travels of its variables */
  readonly vars: PlainVars;
}

/** Throws PolicyError. */
export async function prepareRun(options: RunOptions): Promise<PreparedRun> {
  const mop = options.mop ?? mopPackage();
  const wing = readWing(mop);
  wing.catch(() => undefined);
  const loaded = await loadPolicy(options.policy, { ...(options.cwd ? { cwd: options.cwd } : {}), mop });
  const checked = options.typeCheck === false ? undefined : typeCheck(loaded, mop);
  checked?.catch(() => undefined);
  const targets = options.local ? localTargets() : await findTargets(options, loaded);
  const folder = new PolicyFolder(loaded.folder);
  const parts = { loaded, folder, wing: await wing, mopNames: await mopNames(mop), options };
  const entries = await Promise.all(
    loaded.policy.roles.map(async (entry) => ({
      role: await prepareRole(entry, parts),
      hosts: options.local ? targets.hosts : hostsOf(entry, targets),
      become: entry.become !== undefined && entry.become !== false,
    })),
  );
  await checked;
  const roles = entries.flatMap(({ role, hosts, become }) => (role ? [{ role, hosts, become }] : []));
  const concerned = [...new Set(roles.flatMap(({ hosts }) => hosts))];
  const root = roles.find(({ become }) => become);
  refuseBecome(
    options.become ? BECOME_OPTION : root && `role ${root.role.entry.role.name}: \`become\` is set`,
    concerned,
    targets.inventory.source,
  );
  for (const { role } of roles) for (const warning of role.warnings) options.onWarning?.(warning);
  for (const warning of strangeVars(concerned, targets.inventory.source)) options.onWarning?.(warning);
  return { options, loaded, targets, wing: parts.wing, roles, hosts: await prepareHosts(concerned, targets) };
}

/** A misspelt connection variable would be ignored in silence, and the host reached in another way than was meant. */
export function strangeVars(hosts: readonly InventoryHost[], source: string): string[] {
  const found = new Map<string, string>();
  for (const host of hosts)
    for (const { name, hint } of unknownConnectionVars(host.vars))
      if (!found.has(name))
        found.set(
          name,
          `${source}: host ${host.name}: ${name} is no connection variable${hint ? `; is ${hint} meant?` : ""}`,
        );
  return [...found.values()];
}

export async function prepareHosts(
  hosts: readonly InventoryHost[],
  { planner, inventory }: Targets,
): Promise<Map<string, PreparedHost>> {
  const prepared = await Promise.all(
    hosts.map(async (host) => ({
      host,
      route: await planner.route(host.name),
      vars: travellingHostVars(host.vars, `${inventory.source}: host ${host.name}`),
    })),
  );
  return new Map(prepared.map((one) => [one.host.name, one]));
}

/** A role's hosts within the limits. A name that the inventory doesn't have is a mistake, a pattern may fit none. */
function hostsOf(
  entry: LoadedPolicy["policy"]["roles"][number],
  { inventory, hosts }: Targets,
): InventoryHost[] {
  const selection = { groups: entry.groups, hosts: entry.hosts };
  const unknown = unknownPatterns(inventory, selection);
  const isName = (pattern: string) => !/[*?[]/.test(pattern);
  const group = unknown.groups.find(isName);
  if (group !== undefined)
    throw new PolicyError(`role ${entry.role.name}: the group "${group}" is not in ${inventory.source}`);
  const host = unknown.hosts.find(isName);
  if (host !== undefined)
    throw new PolicyError(`role ${entry.role.name}: the host "${host}" is not in ${inventory.source}`);
  const within = new Set(hosts);
  return selectHosts(inventory, selection).filter((one) => within.has(one));
}

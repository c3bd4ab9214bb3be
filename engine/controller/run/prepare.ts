import type { Become } from "../../../relay/boot/become.js";
import { PolicyFolder } from "../files/folder.js";
import { type Inventory, type InventoryHost, selectHosts, unknownPatterns } from "../inventory/inventory.js";
import { type LoadedPolicy, loadPolicy } from "../policy/load-policy.js";
import { type MopPackage, mopNames, mopPackage } from "../policy/mop-package.js";
import { typeCheck } from "../policy/type-check.js";
import { PolicyError } from "../policy-error.js";
import { unknownConnectionVars } from "../route/connection-vars.js";
import type { Way } from "../route/ways.js";
import { withoutSecrets } from "../secrets/known-secrets.js";
import { hostLayers, markNamed, type VarsLayer } from "../secrets/secret-vars.js";
import { type PlainVars, travellingHostVars } from "../variables.js";
import type { RunOptions } from "./options.js";
import { type PreparedRole, prepareRole } from "./role-plan.js";
import { becomesOf, findTargets, localTargets, type Targets } from "./targets.js";
import { readWing, type WingFiles } from "./wing-files.js";

/** A run that is ready to start: nothing was contacted, everything that can be wrong on this side was looked at. */
export interface PreparedRun {
  readonly options: RunOptions;
  readonly loaded: LoadedPolicy;
  readonly targets: Targets;
  readonly wing: WingFiles;
  readonly roles: readonly PreparedEntry[];
  /** Every host of any role, by name */
  readonly hosts: ReadonlyMap<string, PreparedHost>;
  /** Every host that others delegate to, by name */
  readonly delegates: ReadonlyMap<string, PreparedHost>;
}

/** A role, its hosts, and for those that don't run it themselves the name of the host that does. */
export interface PreparedEntry {
  readonly role: PreparedRole;
  readonly hosts: readonly InventoryHost[];
  readonly delegate: ReadonlyMap<string, string>;
  /** Whom its nodes run as, by the name of the host that they run on */
  readonly become: ReadonlyMap<string, Become>;
}

export interface PreparedHost {
  readonly host: InventoryHost;
  /** In the order in which they are tried */
  readonly ways: readonly [Way, ...Way[]];
  /** What travels of its variables */
  readonly vars: PlainVars;
}

/** Throws PolicyError. */
export async function prepareRun(options: RunOptions): Promise<PreparedRun> {
  if (options.verify && options.check)
    throw new PolicyError("--verify runs for real, twice, which --check rules out; leave one of them away");
  const mop = options.mop ?? mopPackage();
  const wing = readWing(mop);
  wing.catch(() => undefined);
  const loaded = await loadPolicy(options.policy, { ...(options.cwd ? { cwd: options.cwd } : {}), mop });
  const giveUp = new AbortController();
  const checked = options.typeCheck === false ? undefined : typeCheck(loaded, mop, giveUp.signal);
  checked?.catch(() => undefined);
  try {
    return await prepareLoaded({ options, loaded, mop, wing, checked });
  } catch (error) {
    // The checker's folder must be gone before the program may end.
    giveUp.abort();
    await checked?.catch(() => undefined);
    throw error;
  }
}

async function prepareLoaded({
  options,
  loaded,
  mop,
  wing,
  checked,
}: {
  readonly options: RunOptions;
  readonly loaded: LoadedPolicy;
  readonly mop: MopPackage;
  readonly wing: Promise<WingFiles>;
  readonly checked: Promise<void> | undefined;
}): Promise<PreparedRun> {
  const targets = options.local ? localTargets() : await findTargets(options, loaded);
  const warn = (text: string) => options.onWarning?.(withoutSecrets(text));
  markNamed([...hostLayers(targets.inventory), ...ownLayers(loaded, options)], warn);
  const folder = new PolicyFolder(loaded.folder);
  const parts = { loaded, folder, wing: await wing, mopNames: await mopNames(mop), options };
  const entries = await Promise.all(
    loaded.policy.roles.map(async (entry) => {
      const hosts = options.local ? targets.hosts : hostsOf(entry, targets);
      const delegate = options.local ? new Map<string, string>() : delegatesOf(entry, hosts, targets);
      const places = hosts.map(({ name }) => targets.inventory.hosts.get(delegate.get(name) ?? name)!);
      const become = becomesOf(places, targets, options, entry.become);
      return { role: await prepareRole(entry, parts), hosts, delegate, become };
    }),
  );
  await checked;
  const roles = entries.flatMap(({ role, ...entry }) => (role ? [{ role, ...entry }] : []));
  const concerned = [...new Set(roles.flatMap(({ hosts }) => hosts))];
  for (const { role } of roles) for (const warning of role.warnings) warn(warning);
  for (const warning of strangeVars(targets.inventory)) warn(warning);
  const delegates = new Set(roles.flatMap(({ delegate }) => [...delegate.values()]));
  return {
    options,
    loaded,
    targets,
    wing: parts.wing,
    roles,
    hosts: await prepareHosts(concerned, targets),
    delegates: await prepareHosts(
      [...delegates].map((name) => targets.inventory.hosts.get(name)!),
      targets,
    ),
  };
}

/** Variables of the policy, its roles and entries, and the command line. */
const ownLayers = ({ policy }: LoadedPolicy, { extraVars = {} }: RunOptions): VarsLayer[] => [
  { where: "the policy's vars", vars: policy.vars ?? {} },
  ...policy.roles.flatMap(({ role, vars = {} }) => [
    { where: `role ${role.name}: vars`, vars: (role.vars ?? {}) as VarsLayer["vars"] },
    { where: `role ${role.name}: vars of its entry`, vars },
  ]),
  { where: "--extra-vars", vars: extraVars },
];

/**
 * A misspelt connection variable would be ignored in silence, and the host reached in another way than was meant. Each is
 * told once, of bastions too.
 */
export function strangeVars({ hosts, source }: Inventory): string[] {
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

export async function prepareHosts(
  hosts: readonly InventoryHost[],
  { planner, inventory }: Targets,
): Promise<Map<string, PreparedHost>> {
  const prepared = await Promise.all(
    hosts.map(async (host) => ({
      host,
      ways: await planner.ways(host.name),
      vars: travellingHostVars(host.vars, `${inventory.source}: host ${host.name}`),
    })),
  );
  return new Map(prepared.map((one) => [one.host.name, one]));
}

/** To whom a role's hosts delegate it. */
function delegatesOf(
  { delegate, role }: LoadedPolicy["policy"]["roles"][number],
  hosts: readonly InventoryHost[],
  { inventory }: Targets,
): Map<string, string> {
  const found = new Map<string, string>();
  if (delegate === undefined) return found;
  for (const { name, groups, vars } of hosts) {
    const to = typeof delegate === "string" ? delegate : delegate({ name, groups, vars });
    if (to === undefined || to === name) continue;
    if (!inventory.hosts.has(to))
      throw new PolicyError(
        `role ${role.name}: ${name} is delegated to "${to}", which is not in ${inventory.source}`,
      );
    found.set(name, to);
  }
  return found;
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

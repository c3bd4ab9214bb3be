import { existsSync } from "node:fs";
import path from "node:path";
import { loadPolicy } from "../policy/load-policy.js";
import type { MopPackage } from "../policy/mop-package.js";
import { PolicyError } from "../policy-error.js";
import { withoutSecrets } from "../secrets/known-secrets.js";
import { hostLayers, markNamed } from "../secrets/secret-vars.js";
import type { TargetOptions } from "./options.js";
import { type PreparedHost, prepareHosts, strangeVars } from "./prepare.js";
import { findTargets, type Targets } from "./targets.js";

/** Hosts without a role: what `run`, `ping` and `inventory` work on. */
export interface HostOptions extends TargetOptions {
  /** Its inventory serves when no inventory file was given */
  readonly policy?: string | undefined;
  /** The package whose build serves; tests give another */
  readonly mop?: MopPackage;
  /** Told how many hosts take part, before anything is contacted */
  readonly onHosts?: (count: number) => void;
}

export interface PreparedTargets {
  readonly targets: Targets;
  readonly hosts: readonly PreparedHost[];
}

const POLICY = "policy.ts";
const INVENTORY = "inventory.toml";

/**
 * The inventory file that was given, else that of the policy that was given, else ./inventory.toml, else that of
 * ./policy.ts. Throws PolicyError.
 */
export async function targetsOf(options: HostOptions): Promise<Targets> {
  const cwd = options.cwd ?? process.cwd();
  const beside = (name: string): boolean => existsSync(path.join(cwd, name));
  const policy =
    options.policy ??
    (options.inventory === undefined && !beside(INVENTORY) && beside(POLICY) ? POLICY : undefined);
  if (options.inventory !== undefined || policy === undefined) return findTargets(options);
  const { mop } = options;
  return findTargets(options, await loadPolicy(policy, { cwd, ...(mop ? { mop } : {}) }));
}

/** All hosts within the limits, with their routes; nothing was contacted. Throws PolicyError, also when there is none. */
export async function prepareTargets(options: HostOptions): Promise<PreparedTargets> {
  const targets = await targetsOf(options);
  const { source } = targets.inventory;
  if (targets.hosts.length === 0) throw new PolicyError(`no host of ${source} is left to contact`);
  tellStrangeVars(targets, options);
  options.onHosts?.(targets.hosts.length);
  return { targets, hosts: [...(await prepareHosts(targets.hosts, targets)).values()] };
}

/** Names that `mop_secrets` names are known then. */
export function tellStrangeVars({ inventory }: Targets, { onWarning }: HostOptions): ReadonlySet<string> {
  const named = markNamed(hostLayers(inventory));
  for (const warning of strangeVars(inventory)) onWarning?.(withoutSecrets(warning));
  return named;
}

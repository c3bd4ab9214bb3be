import type { Hop, HopKind } from "../../../relay/mesh/types.js";
import type { Value } from "../../../transport/types.js";
import { MASK } from "../../vocabulary/masker.js";
import { selectHosts } from "../inventory/inventory.js";
import { plainValue } from "../inventory/plain.js";
import { SECRETS_VAR } from "../route/connection-vars.js";
import { usualWay, type Way } from "../route/ways.js";
import { KnownSecrets } from "../secrets/known-secrets.js";
import { type HostOptions, targetsOf, tellStrangeVars } from "./prepare-hosts.js";

export interface InventoryReport {
  readonly source: string;
  /** Hosts within the limits, bastions among them, in the inventory's order */
  readonly hosts: readonly DescribedHost[];
  /** Members of each group, `all` included */
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

export interface DescribedHost {
  readonly name: string;
  readonly groups: readonly string[];
  /** Groups' and its own variables; secrets read MASK */
  readonly vars: Readonly<Record<string, Value>>;
  /** The way to it as logins would be made, the host itself last */
  readonly route: readonly DescribedHop[];
  /** All ways in the order in which they are tried, where there are several */
  readonly ways?: readonly (readonly DescribedHop[])[];
}

export interface DescribedHop {
  readonly name: string;
  /** `auto`: a relay or, where no node can be had, a jump */
  readonly kind: HopKind | "auto";
  readonly user: string;
  readonly address: string;
  readonly port: number;
  /** The command that leads into it, where it is entered by one */
  readonly enter?: readonly string[];
  /** The command that leads to its sshd, where OpenSSH's configuration has one for it */
  readonly proxyCommand?: string;
}

const SECRET = /pass(word|wd|phrase)?$|secret|token|credential|api_?key|private_?key/i;

/** Hosts, groups, variables and routes as they resolve; contacts nothing. Throws PolicyError. */
export async function describeInventory(options: HostOptions): Promise<InventoryReport> {
  const targets = await targetsOf(options);
  const { inventory, planner } = targets;
  const named = tellStrangeVars(targets, options);
  const known = new KnownSecrets();
  const chosen = selectHosts(inventory, { groups: options.limitGroups, hosts: options.limitHosts });
  const masked = (key: string, value: Value) => maskValue(key, value, (text) => known.mask(text), named);
  const hosts = await Promise.all(
    chosen.map(async ({ name, groups, vars }) => ({
      name,
      groups,
      vars: Object.fromEntries(
        Object.entries(vars).flatMap(([key, value]) =>
          value === undefined
            ? []
            : [[key, masked(key, plainValue(value, `${inventory.source}: host ${name}: ${key}`))]],
        ),
      ),
      ...describeWays(await planner.ways(name)),
    })),
  );
  return { source: inventory.source, hosts, groups: Object.fromEntries(inventory.groups) };
}

function describeWays(ways: readonly [Way, ...Way[]]): Pick<DescribedHost, "route" | "ways"> {
  const route = usualWay(ways).hops.map(describeHop);
  return ways.length === 1 ? { route } : { route, ways: ways.map(({ hops }) => hops.map(describeHop)) };
}

const describeHop = ({ target, kind, orJump, enter }: Hop): DescribedHop => ({
  name: target.name,
  kind: orJump ? "auto" : kind,
  user: target.user,
  address: target.address,
  port: target.port,
  ...(enter && { enter }),
  ...(target.proxyCommand !== undefined && { proxyCommand: target.proxyCommand }),
});

/** A variable as it may be shown: not at all when its name says that it is secret, else without secrets in it. */
function maskValue(
  name: string,
  value: Value,
  mask: (text: string) => string,
  named: ReadonlySet<string>,
): Value {
  if (name === SECRETS_VAR) return value;
  if (named.has(name) && value !== null && value !== "") return MASK;
  if (SECRET.test(name) && value !== null && value !== "" && typeof value !== "boolean") return MASK;
  if (typeof value === "string") return mask(value);
  if (Array.isArray(value)) return value.map((item) => maskValue("", item as Value, mask, named));
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [mask(key), maskValue(key, item as Value, mask, new Set())]),
  );
}

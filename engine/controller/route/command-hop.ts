import type { Hop } from "../../../relay/mesh/types.js";
import type { Target } from "../../../transport/ssh/types.js";
import { PolicyError } from "../policy-error.js";
import { type ConnectionVars, nodeOf } from "./connection-vars.js";
import { enterBy, isPreset, type PresetName } from "./presets.js";

/** The preset, or "command", where a host is entered by a command; else undefined. */
export function entersBy({ hop }: ConnectionVars): PresetName | "command" | undefined {
  return hop !== undefined && (hop === "command" || isPreset(hop)) ? hop : undefined;
}

/** A host that a command leads into: no ssh. */
export function commandHop(
  name: string,
  by: PresetName | "command",
  vars: ConnectionVars,
  where: string,
): Hop {
  const host = vars.host ?? name;
  const { argv, user } = enterBy(by, vars.command, { host, user: vars.user }, where);
  return { kind: "command", ...nodeOf(vars), target: withoutSsh(name, host, user), enter: argv };
}

/** Nothing of ours runs on a jump: no command could be run there. */
export function refuseJumps(route: Hop[]): Hop[] {
  for (const [index, { kind, target }] of route.entries()) {
    const before = route[index - 1];
    if (kind === "command" && before?.kind === "jump")
      throw new PolicyError(
        `${before.target.name} has to run the command that leads into ${target.name}, but it is passed as a jump, where nothing of mop runs; mop_hop = "relay" or "sealed" lets it`,
      );
  }
  return route;
}

/** What stands for a login where there is none. */
export function withoutSsh(name: string, address: string, user: string): Target {
  return {
    name,
    address,
    port: 0,
    user,
    identityFiles: [],
    identitiesOnly: true,
    knownHostsFiles: [],
    hostKeys: "strict",
    connectTimeoutMs: 0,
    keepaliveMs: 0,
  };
}

import os from "node:os";
import type { Hop, HopKind } from "../../../relay/mesh/types.js";
import type { HostKeyPolicy } from "../../../transport/ssh/types.js";
import type { Inventory } from "../inventory/inventory.js";
import { PolicyError } from "../policy-error.js";
import { type PasswordCommands, passwordCommands } from "../secrets/password-commands.js";
import { parseHopName } from "./address.js";
import { commandHop, entersBy, refuseJumps, withoutSsh } from "./command-hop.js";
import { type ConnectionVars, connectionVars, type MopHop, nodeOf } from "./connection-vars.js";
import { noSshConfig, type SshGiven, type SshLookup, type SshSettings } from "./ssh-settings.js";
import { makeTarget, type Reached } from "./target.js";
import { parseVia } from "./via.js";
import { findWays, type Stop, type StopWay, usualWay, type Way } from "./ways.js";

/** What the command line or a program says of all connections. */
export interface RouteOptions {
  /** Takes the place of mop_via for the targets */
  readonly via?: readonly string[] | undefined;
  /** Login name where nothing else says one */
  readonly user?: string | undefined;
  /** Private key, used before all others; relative to the working folder */
  readonly identity?: string | undefined;
  /** Private key of hosts for which the inventory names none, before those that ssh would try */
  readonly defaultIdentity?: string | undefined;
  readonly knownHosts?: string | undefined;
  /** Given, it stands over ssh_config's StrictHostKeyChecking */
  readonly hostKeys?: HostKeyPolicy | undefined;
  /** How bastions are passed where the inventory is silent */
  readonly hop?: MopHop | undefined;
  readonly connectTimeoutMs?: number | undefined;
  /** Login password of targets where the inventory has none (--ask-pass) */
  readonly password?: string | undefined;
  /** What runs mop_password_command. Default: one of the planner's own */
  readonly passwords?: PasswordCommands | undefined;
  readonly sshConfig?: SshLookup | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folder that mop_identity is relative to. Default: the working folder */
  readonly folder?: string | undefined;
}

/** Milliseconds that a host may take to answer where it is dialled without the hops that are said to lead to it. */
export const DIRECT_TIMEOUT_MS = 2000;

/** Resolves hosts into routes. Lookups are remembered, so that a bastion of 300 hosts is worked out once. */
export function routePlanner(inventory: Inventory, options: RouteOptions = {}) {
  const lookup = options.sshConfig ?? noSshConfig;
  const passwords = options.passwords ?? passwordCommands({ folder: options.folder });
  const settings = new Map<string, Promise<SshSettings>>();
  const read = new Map<string, ConnectionVars>();
  const vars = (name: string): ConnectionVars => {
    const host = inventory.hosts.get(name);
    const known =
      read.get(name) ?? connectionVars(host?.vars ?? {}, host ? `${inventory.source}: host ${name}` : name);
    read.set(name, known);
    return known;
  };
  const ssh = ({ name, user, port }: Stop): Promise<SshSettings> => {
    const own = vars(name);
    const given: SshGiven = {
      user: user ?? own.user ?? options.user,
      port: port ?? own.port,
      hostName: own.host,
    };
    const key = JSON.stringify([name, given.user, given.port]);
    const known = settings.get(key) ?? lookup(name, given);
    settings.set(key, known);
    return known;
  };

  /** What the inventory says of the way; undefined: nothing, or nothing but that others go through this host. */
  const inventoryVia = (name: string): readonly string[] | undefined => {
    const { via } = vars(name);
    const host = inventory.hosts.get(name);
    if (via === undefined || host === undefined || Object.hasOwn(host.own, "mop_via")) return via;
    // What a group says of all its hosts, the bastion among them, ends for the bastion before itself.
    const rest = before(via, name);
    return rest.length === 0 && via.length > 0 ? undefined : rest;
  };

  const viaOf = async (stop: Stop): Promise<readonly string[]> => {
    const via = inventoryVia(stop.name);
    if (via !== undefined) return via;
    if (entersBy(vars(stop.name)) !== undefined) return [];
    const jump = (await ssh(stop)).proxyJump ?? "none";
    if (jump.toLowerCase() === "none") return [];
    return jump
      .split(",")
      .map((text) => text.trim())
      .filter((text) => text !== "");
  };

  const stopOf = (text: string, where: string): Stop => {
    if (inventory.hosts.has(text)) return { name: text };
    const { user, host, port } = parseHopName(text, where);
    return { name: host, user, port };
  };

  const hop = async (stop: Stop, isTarget: boolean, reached: Reached): Promise<Hop> => {
    const known = vars(stop.name);
    const by = entersBy(known);
    if (by !== undefined) return commandHop(stop.name, by, known, `${inventory.source}: host ${stop.name}`);
    const config = await ssh(stop);
    const wanted = known.hop ?? options.hop ?? "auto";
    return {
      target: makeTarget(stop, known, config, { ...options, passwords, isTarget, reached }),
      kind: hopKind(wanted, isTarget),
      ...nodeOf(known),
      ...(wanted === "auto" && !isTarget ? { orJump: true } : {}),
    };
  };

  const finder = { viaOf, stopOf, isOptional: (name: string) => vars(name).optional ?? false };
  const wayOf = async ({ stops, skipped }: StopWay, target: Stop, overridden: boolean): Promise<Way> => {
    const all = [...stops, target];
    const reachedBy = ({ name }: Stop, index: number): Reached => {
      if (index > 0) return "behind another";
      // As with ssh, a ProxyCommand counts where nothing else says the way
      const told =
        skipped.length > 0 || inventoryVia(name) !== undefined || (overridden && index === all.length - 1);
      return told ? "directly" : "as ssh would";
    };
    const hops = all.map((stop, index) => {
      const isTarget = index === stops.length;
      const known = vars(stop.name);
      if (isTarget || known.hop !== "local") return hop(stop, isTarget, reachedBy(stop, index));
      if (index === 0) return localHop(stop.name, nodeOf(known).node);
      throw new PolicyError(
        `${stop.name} is this machine (mop_hop = "local"): on the route to ${target.name} it can't stand behind ${all[index - 1]!.name}`,
      );
    });
    const [first, ...rest] = await Promise.all(hops);
    return { hops: refuseJumps([skipped.length > 0 ? dialledDirectly(first!) : first!, ...rest]), skipped };
  };

  /** Every way to a host of the inventory, or to `[user@]host[:port]`, in the order in which they are to be tried. */
  const ways = async (name: string, via = options.via): Promise<readonly [Way, ...Way[]]> => {
    const target = stopOf(name, "the target");
    if (vars(target.name).hop === "local")
      return [{ hops: [localHop(target.name, nodeOf(vars(target.name)).node)], skipped: [] }];
    const rest = via && before(via, target.name);
    // A chain that begins with the host itself says nothing of the way to it
    const over = rest?.length === 0 && via!.length > 0 ? undefined : rest;
    const found = await findWays(finder, target, over);
    return Promise.all(found.map((way) => wayOf(way, target, over !== undefined))) as Promise<
      [Way, ...Way[]]
    >;
  };

  return {
    ways,
    /** The hops of the way that counts where none fails and no hop is left out. */
    async route(name: string, via?: readonly string[]): Promise<readonly Hop[]> {
      return usualWay(await ways(name, via)).hops;
    },
  };
}

export type RoutePlanner = ReturnType<typeof routePlanner>;

/** A chain up to a host that stands in it itself. */
function before(via: readonly string[], name: string): readonly string[] {
  const names = (text: string) => parseVia(text, name).alternatives;
  const self = via.findIndex((text) =>
    names(text).some((one) => one === name || parseHopName(one, name).host === name),
  );
  return self < 0 ? via : via.slice(0, self);
}

/**
 * A host without the hops before it: its address may mean another machine here, so it must show a key that is known
 * already, and it gets little time to answer.
 */
export const dialledDirectly = (hop: Hop): Hop => ({
  ...hop,
  target: {
    ...hop.target,
    hostKeys: hop.target.hostKeys === "accept-new" ? "strict" : hop.target.hostKeys,
    tcpTimeoutMs: Math.min(DIRECT_TIMEOUT_MS, hop.target.connectTimeoutMs || DIRECT_TIMEOUT_MS),
  },
});

/** Under `auto` bastions are relays where they can be; a target always needs a node. */
function hopKind(wanted: MopHop, isTarget: boolean): HopKind {
  return wanted === "sealed" || (wanted === "jump" && !isTarget) ? wanted : "relay";
}

/** This machine as a host, through a child process: no ssh. */
export function localHop(name: string, node: string | undefined): Hop {
  const target = withoutSsh(name, "localhost", os.userInfo().username);
  return { kind: "local", node: node ?? "", target };
}

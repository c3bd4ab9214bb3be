import os from "node:os";
import path from "node:path";
import type { Hop, HopKind } from "../../../relay/mesh/types.js";
import type { HostKeyPolicy, Target } from "../../../transport/ssh/types.js";
import type { Inventory } from "../inventory/inventory.js";
import { PolicyError } from "../policy-error.js";
import { type PasswordCommands, passwordCommands } from "../secrets/password-commands.js";
import { parseHopName } from "./address.js";
import { commandHop, entersBy, refuseJumps, withoutSsh } from "./command-hop.js";
import { type ConnectionVars, connectionVars, type MopHop } from "./connection-vars.js";
import { noSshConfig, type SshLookup, type SshSettings } from "./ssh-settings.js";
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

export const DEFAULT_CONNECT_TIMEOUT_MS = 30_000;

/** Milliseconds that a host may take to answer where it is dialled without the hops that are said to lead to it. */
export const DIRECT_TIMEOUT_MS = 2000;

/** Resolves hosts into routes. Lookups are remembered, so that a bastion of 300 hosts is worked out once. */
export function routePlanner(inventory: Inventory, options: RouteOptions = {}) {
  const lookup = options.sshConfig ?? noSshConfig;
  const passwords = options.passwords ?? passwordCommands({ folder: options.folder });
  const settings = new Map<string, Promise<SshSettings>>();
  const ssh = (name: string): Promise<SshSettings> => {
    const known = settings.get(name) ?? lookup(name);
    settings.set(name, known);
    return known;
  };
  const vars = (name: string): ConnectionVars => {
    const host = inventory.hosts.get(name);
    return connectionVars(host?.vars ?? {}, host ? `${inventory.source}: host ${name}` : name);
  };

  const viaOf = async (name: string): Promise<readonly string[]> => {
    const host = inventory.hosts.get(name);
    const via = vars(name).via;
    if (via !== undefined) {
      // What a group says of all its hosts, the bastion among them, ends for the bastion before itself.
      const inherited = host !== undefined && !Object.hasOwn(host.own, "mop_via");
      return inherited ? before(via, name) : via;
    }
    if (entersBy(vars(name)) !== undefined) return [];
    const { proxyJump: jump, proxyCommand } = await ssh(name);
    if (proxyCommand !== undefined && jump === undefined)
      throw new PolicyError(
        `ssh's configuration reaches ${name} by a ProxyCommand, which mop does not run; name the way with ProxyJump or mop_via`,
      );
    if (jump === undefined || jump.toLowerCase() === "none") return [];
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

  const hop = async (stop: Stop, isTarget: boolean): Promise<Hop> => {
    const known = vars(stop.name);
    const by = entersBy(known);
    if (by !== undefined) return commandHop(stop.name, by, known, `${inventory.source}: host ${stop.name}`);
    const config = await ssh(stop.name);
    const wanted = known.hop ?? options.hop ?? "auto";
    return {
      target: makeTarget(stop, known, config, { ...options, passwords }, isTarget),
      kind: hopKind(wanted, isTarget),
      node: known.node ?? "",
      ...(wanted === "auto" && !isTarget ? { orJump: true } : {}),
    };
  };

  const finder = { viaOf, stopOf, isOptional: (name: string) => vars(name).optional ?? false };
  const wayOf = async ({ stops, skipped }: StopWay, target: Stop): Promise<Way> => {
    const passed = stops.map(({ name }, index) => {
      const known = vars(name);
      if (known.hop !== "local") return hop(stops[index]!, false);
      if (index > 0)
        throw new PolicyError(
          `${name} is this machine (mop_hop = "local"): on the route to ${target.name} it can't stand behind ${stops[index - 1]!.name}`,
        );
      return localHop(name, known.node);
    });
    const hops = [...passed, hop(target, true)];
    const [first, ...rest] = await Promise.all(hops);
    return { hops: refuseJumps([skipped.length > 0 ? dialledDirectly(first!) : first!, ...rest]), skipped };
  };

  /** Every way to a host of the inventory, or to `[user@]host[:port]`, in the order in which they are to be tried. */
  const ways = async (name: string, via = options.via): Promise<readonly [Way, ...Way[]]> => {
    const target = stopOf(name, "the target");
    if (vars(target.name).hop === "local")
      return [{ hops: [localHop(target.name, vars(target.name).node)], skipped: [] }];
    const found = await findWays(finder, target, via && before(via, target.name));
    return Promise.all(found.map((way) => wayOf(way, target))) as Promise<[Way, ...Way[]]>;
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

function makeTarget(
  stop: Stop,
  known: ConnectionVars,
  config: SshSettings,
  options: RouteOptions & { readonly passwords: PasswordCommands },
  isTarget: boolean,
): Target {
  const env = options.env ?? process.env;
  const folder = options.folder ?? process.cwd();
  const own = (known.identity ?? []).map((file) => expand(file, folder));
  const first = options.identity === undefined ? [] : [expand(options.identity, process.cwd())];
  const { defaultIdentity } = options;
  const fallback = defaultIdentity === undefined ? [] : [expand(defaultIdentity, process.cwd())];
  const agent = config.identityAgent === "none" ? undefined : (config.identityAgent ?? env.SSH_AUTH_SOCK);
  const { passwordCommand: command } = known;
  const password =
    known.password ??
    (command !== undefined
      ? options.passwords(command, `${stop.name}: mop_password_command`)
      : isTarget
        ? options.password
        : undefined);
  const alias = config.hostKeyAlias;
  return {
    name: stop.name,
    address: known.host ?? config.hostName ?? stop.name,
    port: stop.port ?? known.port ?? config.port ?? 22,
    user: stop.user ?? known.user ?? options.user ?? config.user ?? env.USER ?? os.userInfo().username,
    ...(alias === undefined ? {} : { hostKeyAlias: alias }),
    identityFiles: [
      ...new Set([
        ...first,
        ...(own.length > 0 ? own : [...fallback, ...(config.identityFiles ?? defaultKeys())]),
      ]),
    ],
    identitiesOnly: own.length > 0 || (config.identitiesOnly ?? false),
    ...(agent === undefined || agent === "" ? {} : { agent }),
    ...(password === undefined ? {} : { password }),
    knownHostsFiles:
      options.knownHosts === undefined
        ? (config.knownHostsFiles ?? defaultKnownHosts())
        : [expand(options.knownHosts, process.cwd())],
    hostKeys: options.hostKeys ?? config.hostKeys ?? "strict",
    ...(config.hashKnownHosts ? { hashKnownHosts: true } : {}),
    connectTimeoutMs: options.connectTimeoutMs ?? config.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
    keepaliveMs: config.keepaliveMs ?? 0,
  };
}

/** This machine as a host, through a child process: no ssh. */
export function localHop(name: string, node: string | undefined): Hop {
  const target = withoutSsh(name, "localhost", os.userInfo().username);
  return { kind: "local", node: node ?? "", target };
}

const expand = (file: string, folder: string): string =>
  file === "~" || file.startsWith("~/") ? path.join(os.homedir(), file.slice(1)) : path.resolve(folder, file);

const defaultKeys = (): string[] =>
  ["id_ed25519", "id_ecdsa", "id_rsa"].map((name) => path.join(os.homedir(), ".ssh", name));

const defaultKnownHosts = (): string[] => [
  path.join(os.homedir(), ".ssh/known_hosts"),
  path.join(os.homedir(), ".ssh/known_hosts2"),
  "/etc/ssh/ssh_known_hosts",
  "/etc/ssh/ssh_known_hosts2",
];

import os from "node:os";
import path from "node:path";
import type { Hop, HopKind } from "../../../relay/mesh/types.js";
import type { HostKeyPolicy, Target } from "../../../transport/ssh/types.js";
import type { Inventory } from "../inventory/inventory.js";
import { PolicyError } from "../policy-error.js";
import { parseHopName } from "./address.js";
import { commandHop, entersBy, refuseJumps, withoutSsh } from "./command-hop.js";
import { type ConnectionVars, connectionVars, type MopHop } from "./connection-vars.js";
import { noSshConfig, type SshLookup, type SshSettings } from "./ssh-settings.js";

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
  readonly sshConfig?: SshLookup | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folder that mop_identity is relative to. Default: the working folder */
  readonly folder?: string | undefined;
}

export const DEFAULT_CONNECT_TIMEOUT_MS = 30_000;

/** One stop of a route before its login is worked out. */
interface Stop {
  /** The inventory's name, or the host part of `[user@]host[:port]` */
  readonly name: string;
  readonly user?: string | undefined;
  readonly port?: number | undefined;
}

/** Resolves hosts into routes. Lookups are remembered, so that a bastion of 300 hosts is worked out once. */
export function routePlanner(inventory: Inventory, options: RouteOptions = {}) {
  const lookup = options.sshConfig ?? noSshConfig;
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

  /** The names on the way to a host, in order, without itself. */
  const way = async (
    stop: Stop,
    over: readonly string[] | undefined,
    trail: readonly string[],
  ): Promise<Stop[]> => {
    if (trail.includes(stop.name))
      throw new PolicyError(
        `the route to ${trail[0]} leads in a circle: ${[...trail, stop.name].join(" via ")}`,
      );
    const chain = over ?? (await viaOf(stop.name));
    const first = chain[0];
    if (first === undefined) return [];
    const stops = chain.map((text) => stopOf(text, `the route to ${trail[0] ?? stop.name}`));
    return [...(await way(stops[0]!, undefined, [...trail, stop.name])), ...stops];
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
    const kind = hopKind(known.hop ?? options.hop ?? "auto", isTarget);
    return { target: makeTarget(stop, known, config, options, isTarget), kind, node: known.node ?? "" };
  };

  return {
    /** The hops to a host of the inventory, or to `[user@]host[:port]`; `via` stands over all else. */
    async route(name: string, via: readonly string[] | undefined = options.via): Promise<Hop[]> {
      const target = stopOf(name, "the target");
      if (vars(target.name).hop === "local") return [localHop(target.name, vars(target.name).node)];
      const stops = await way(target, via && before(via, target.name), []);
      const names = [...stops.map((stop) => stop.name), target.name];
      const twice = names.find((one, index) => names.indexOf(one) !== index);
      if (twice !== undefined)
        throw new PolicyError(`the route to ${name} passes ${twice} twice: ${names.join(", ")}`);
      return refuseJumps(await Promise.all([...stops.map((stop) => hop(stop, false)), hop(target, true)]));
    },
  };
}

export type RoutePlanner = ReturnType<typeof routePlanner>;

/** A chain up to a host that stands in it itself. */
function before(via: readonly string[], name: string): readonly string[] {
  const self = via.findIndex((text) => text === name || parseHopName(text, name).host === name);
  return self < 0 ? via : via.slice(0, self);
}

/** Under `auto` bastions are relays, this machine is one to others too; a target always needs a node. */
function hopKind(wanted: MopHop, isTarget: boolean): HopKind {
  return wanted === "sealed" || (wanted === "jump" && !isTarget) ? wanted : "relay";
}

function makeTarget(
  stop: Stop,
  known: ConnectionVars,
  config: SshSettings,
  options: RouteOptions,
  isTarget: boolean,
): Target {
  const env = options.env ?? process.env;
  const folder = options.folder ?? process.cwd();
  const own = (known.identity ?? []).map((file) => expand(file, folder));
  const first = options.identity === undefined ? [] : [expand(options.identity, process.cwd())];
  const { defaultIdentity } = options;
  const fallback = defaultIdentity === undefined ? [] : [expand(defaultIdentity, process.cwd())];
  const agent = config.identityAgent === "none" ? undefined : (config.identityAgent ?? env.SSH_AUTH_SOCK);
  const password = known.password ?? (isTarget ? options.password : undefined);
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

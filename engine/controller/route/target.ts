import { isIP } from "node:net";
import os from "node:os";
import path from "node:path";
import type { AlgorithmLists } from "../../../transport/ssh/algorithms.js";
import { CIPHERS, HOST_KEYS, KEX, MACS } from "../../../transport/ssh/algorithms.js";
import type { Target } from "../../../transport/ssh/types.js";
import { PolicyError } from "../policy-error.js";
import type { PasswordCommands } from "../secrets/password-commands.js";
import type { ConnectionVars } from "./connection-vars.js";
import type { RouteOptions } from "./routes.js";
import type { SshSettings } from "./ssh-settings.js";
import type { Stop } from "./ways.js";

export const DEFAULT_CONNECT_TIMEOUT_MS = 30_000;

/** By a host before it, by this machine's own TCP connection, or by what OpenSSH's configuration has in its place. */
export type Reached = "behind another" | "directly" | "as ssh would";

export interface TargetOptions extends RouteOptions {
  readonly passwords: PasswordCommands;
  /** Not a bastion on the way */
  readonly isTarget: boolean;
  readonly reached: Reached;
}

/** Where and as whom to log in: the hop's own words, the inventory, the command line, OpenSSH's configuration. */
export function makeTarget(
  stop: Stop,
  known: ConnectionVars,
  config: SshSettings,
  options: TargetOptions,
): Target {
  const env = options.env ?? process.env;
  const own = (known.identity ?? []).map((file) => expand(file, options.folder ?? process.cwd()));
  const agent = config.identityAgent === "none" ? undefined : (config.identityAgent ?? env.SSH_AUTH_SOCK);
  const address = known.host ?? config.hostName ?? stop.name;
  return defined<Target>({
    name: stop.name,
    address,
    port: stop.port ?? known.port ?? config.port ?? 22,
    user: stop.user ?? known.user ?? options.user ?? config.user ?? env.USER ?? os.userInfo().username,
    hostKeyAlias: config.hostKeyAlias,
    identityFiles: identityFiles(own, config, options),
    certificateFiles: own.length > 0 ? undefined : config.certificateFiles,
    identitiesOnly: own.length > 0 || (config.identitiesOnly ?? false),
    agent: agent === "" ? undefined : agent,
    password: passwordOf(stop, known, options),
    methods: config.methods,
    passwordTries: config.passwordTries,
    batch: config.batch || undefined,
    knownHostsFiles:
      options.knownHosts === undefined
        ? (config.knownHostsFiles ?? defaultKnownHosts())
        : [expand(options.knownHosts, process.cwd())],
    revokedKeysFile: config.revokedKeysFile,
    hostKeys: options.hostKeys ?? hostKeysOf(config, address, options.reached),
    hashKnownHosts: config.hashKnownHosts || undefined,
    algorithms: allowed(stop.name, config),
    leastRsaBits: config.leastRsaBits,
    unheeded: config.unheeded,
    ...dialOf(stop.name, config, options.reached),
    connectTimeoutMs: options.connectTimeoutMs ?? config.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
    keepaliveMs: config.keepaliveMs ?? 0,
  });
}

/** Without what is undefined. */
function defined<T extends object>(given: { [key in keyof T]: T[key] | undefined }): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as T;
}

function identityFiles(
  own: readonly string[],
  { identityFiles: configured }: SshSettings,
  { identity, defaultIdentity }: TargetOptions,
): string[] {
  const first = identity === undefined ? [] : [expand(identity, process.cwd())];
  const fallback = defaultIdentity === undefined ? [] : [expand(defaultIdentity, process.cwd())];
  const files = own.length > 0 ? own : [...fallback, ...(configured ?? defaultKeys())];
  return [...new Set([...first, ...files])];
}

function passwordOf(
  { name }: Stop,
  { password, passwordCommand: command }: ConnectionVars,
  options: TargetOptions,
): Target["password"] {
  if (password !== undefined) return password;
  if (command !== undefined) return options.passwords(command, `${name}: mop_password_command`);
  return options.isTarget ? options.password : undefined;
}

/** NoHostAuthenticationForLocalhost is for what this machine connects to at itself. */
function hostKeysOf(
  { hostKeys = "strict", trustsLoopback, hostKeyAlias, proxyCommand }: SshSettings,
  address: string,
  reached: Reached,
): Target["hostKeys"] {
  const itself =
    /^(localhost|127(\.\d+){3}|::1)$/i.test(address) &&
    (reached === "directly" || (reached === "as ssh would" && proxyCommand === undefined));
  return trustsLoopback && itself && hostKeyAlias === undefined ? "off" : hostKeys;
}

/** As OpenSSH refuses them (CVE-2023-51385) */
const FOR_A_SHELL = /^-|['"`$\\;&<>|(){}\s]/;

/** How this machine connects to it, where it does. */
function dialOf(
  name: string,
  config: SshSettings,
  reached: Reached,
): Pick<Target, "proxyCommand" | "bindAddress" | "family"> {
  if (reached === "behind another") return {};
  const { proxyCommand, bindAddress, family, refusals } = config;
  const proxied = reached === "as ssh would" && proxyCommand !== undefined;
  const refusal = proxied ? refusals?.proxied : refusals?.direct;
  if (refusal !== undefined) throw new PolicyError(`ssh's configuration reaches ${name} by ${refusal}`);
  if (proxied) {
    for (const text of [name, config.hostName ?? name, config.user ?? ""])
      if (FOR_A_SHELL.test(text))
        throw new PolicyError(
          `${JSON.stringify(text)} can't be put into the ProxyCommand that ssh's configuration has for ${name}, since it means something to a shell`,
        );
    return { proxyCommand };
  }
  if (bindAddress === undefined) return family === undefined ? {} : { family };
  const own = isIP(bindAddress);
  if (own === 0)
    throw new PolicyError(
      `ssh's configuration has BindAddress ${bindAddress} for ${name}; mop takes an address there, no name`,
    );
  return { bindAddress, family: family ?? (own === 6 ? 6 : 4) };
}

const OURS: Readonly<Record<keyof AlgorithmLists, readonly [option: string, names: readonly string[]]>> = {
  kex: ["KexAlgorithms", KEX],
  cipher: ["Ciphers", CIPHERS],
  hmac: ["MACs", MACS],
  serverHostKey: ["HostKeyAlgorithms", HOST_KEYS],
};

/** What of ours the configuration leaves, in our order; undefined where that is everything. */
function allowed(name: string, { algorithms }: SshSettings): Target["algorithms"] {
  if (!algorithms) return undefined;
  const left: Record<string, readonly string[]> = {};
  for (const [list, [option, ours]] of Object.entries(OURS) as [
    keyof AlgorithmLists,
    (typeof OURS)["kex"],
  ][]) {
    const theirs = algorithms[list];
    if (theirs === undefined) continue;
    const both = ours.filter((one) => theirs.includes(one));
    // With GCM there is no MAC to agree on
    const needed = list !== "hmac" || !(left.cipher ?? CIPHERS).every((cipher) => /gcm/.test(cipher));
    if (both.length === 0 && needed)
      throw new PolicyError(
        `ssh's configuration allows ${name} no ${option} but ${theirs.join(", ")}, and mop has none of these; one of ${ours.join(", ")} must be among them`,
      );
    if (both.length > 0 && both.length < ours.length) left[list] = both;
  }
  if (algorithms.userKey !== undefined) left.userKey = algorithms.userKey;
  return Object.keys(left).length > 0 ? left : undefined;
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

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import ssh2 from "ssh2";
import { createDelayProxy, type DelayProxy } from "./delay-proxy.js";
import { type LabHost, type LabHostQuirks, startLabHost } from "./host.js";
import { generateLabKey } from "./keys.js";

export interface LabHostOptions extends LabHostQuirks {
  /** What known_hosts says of it: its key (default), another one, or nothing */
  readonly knownAs?: "itself" | "another" | "unknown";
  /** Inventory variables, over those of the lab: `{ mop_hop: "sealed" }` */
  readonly vars?: Readonly<Record<string, string | number>>;
}

export interface LabOptions {
  /** Hosts behind the last bastion: l1, l2, ... Default 3 */
  readonly leaves?: number;
  /** Nested bastions: b1, b2, ... Default 2 */
  readonly bastions?: number;
  /** One way on the link from the controller to b1, in ms. Default 0 */
  readonly delayMs?: number;
  /** Limit of that link, in each direction */
  readonly bytesPerSecond?: number;
  /** Quirks of single hosts, by name */
  readonly hosts?: Readonly<Record<string, LabHostOptions>>;
}

/** Nested bastions and leaves on loopback, as processes of this user; no root, no Docker. */
export interface Lab {
  readonly folder: string;
  readonly hosts: ReadonlyMap<string, LabHost>;
  readonly bastions: readonly string[];
  readonly leaves: readonly string[];
  readonly user: string;
  /** The link from the controller to b1: delay, cuts, bytes */
  readonly link: DelayProxy;
  readonly inventoryToml: string;
  readonly inventoryFile: string;
  readonly knownHostsFile: string;
  /** The user's private key (OpenSSH, no passphrase) */
  readonly identityFile: string;
  /** What the command line needs to use it: inventory, key, known hosts, no ssh_config of the machine's */
  readonly options: readonly string[];
  host(name: string): LabHost;
  /** Ends every process and connection of the lab and removes its folder. */
  close(): Promise<void>;
}

const USER = "deploy";

/** Distinct loopback addresses where the system has them (Linux), so that a host is told by its address. */
const addressOf = (index: number) =>
  process.platform === "linux" ? `127.0.${1 + Math.floor(index / 250)}.${1 + (index % 250)}` : "127.0.0.1";

const quoted = (value: string | number) =>
  typeof value === "number" ? String(value) : JSON.stringify(value);

interface Place {
  readonly name: string;
  /** Where the controller, or the host before it, finds it */
  readonly address: string;
  readonly port: number;
  readonly hostKey: string;
}

function inventory(lab: {
  bastions: readonly string[];
  leaves: readonly string[];
  hosts: ReadonlyMap<string, LabHost>;
  places: ReadonlyMap<string, Place>;
  options: LabOptions;
  identityFile: string;
}): string {
  const vars = (name: string, more: Record<string, string | number>) => {
    const place = lab.places.get(name)!;
    return Object.entries({
      mop_host: place.address,
      mop_port: place.port,
      ...more,
      ...lab.options.hosts?.[name]?.vars,
    }).map(([key, value]) => `${key} = ${quoted(value)}`);
  };
  const lines = ["[groups.all.vars]", `mop_user = ${quoted(USER)}`, ""];
  lines.push(`mop_identity = ${quoted(lab.identityFile)}`, "");
  const last = lab.bastions.at(-1);
  for (const [index, name] of lab.bastions.entries()) {
    const via = lab.bastions[index - 1];
    lines.push(`[hosts.${name}.vars]`, ...vars(name, via === undefined ? {} : { mop_via: via }), "");
  }
  lines.push("[groups.web.hosts]");
  // `root` is where a role may write: the hosts of the lab share one file system.
  for (const name of lab.leaves)
    lines.push(`${name} = { ${vars(name, { root: lab.hosts.get(name)!.folder }).join(", ")} }`);
  if (last !== undefined) lines.push("", "[groups.web.vars]", `mop_via = ${quoted(last)}`);
  return `${lines.join("\n")}\n`;
}

function knownHosts(places: Iterable<Place>, options: LabOptions): string {
  const lines: string[] = [];
  for (const place of places) {
    const knownAs = options.hosts?.[place.name]?.knownAs ?? "itself";
    if (knownAs === "unknown") continue;
    const key = knownAs === "another" ? generateLabKey().public : place.hostKey;
    lines.push(`[${place.address}]:${place.port} ${key}`);
  }
  return `${lines.join("\n")}\n`;
}

/**
 * Builds nested bastions and leaves on loopback. Each has an SSH server with a host key of its own and a folder that
 * is home to the commands run there; TCP forwarding goes from a bastion to the hosts right behind it only.
 */
export async function createLab(options: LabOptions = {}): Promise<Lab> {
  const names = (letter: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);
  const bastions = names("b", options.bastions ?? 2);
  const leaves = names("l", options.leaves ?? 3);
  const folder = mkdtempSync(path.join(os.tmpdir(), "mop-lab-"));
  const userKey = generateLabKey();
  const parsed = ssh2.utils.parseKey(userKey.public);
  if (parsed instanceof Error) throw parsed;
  const identityFile = path.join(folder, "id_ed25519");
  writeFileSync(identityFile, userKey.private, { mode: 0o600 });

  const hosts = new Map<string, LabHost>();
  const places = new Map<string, Place>();
  const layers = [...bastions.map((name) => [name]), leaves];
  const behind = (name: string): readonly string[] =>
    layers[layers.findIndex((layer) => layer.includes(name)) + 1] ?? [];
  let link: DelayProxy | undefined;
  const close = async () => {
    await link?.close();
    await Promise.all([...hosts.values()].map((host) => host.close()));
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };

  try {
    for (const [index, name] of layers.flat().entries()) {
      const hostKey = generateLabKey();
      const home = path.join(folder, "hosts", name);
      mkdirSync(home, { recursive: true });
      const mayConnect = (address: string) =>
        behind(name).some((next) => address === `${hosts.get(next)?.address}:${hosts.get(next)?.port}`);
      const host = await startLabHost({
        ...options.hosts?.[name],
        name,
        address: addressOf(index + 1),
        user: USER,
        hostKey: hostKey.private,
        userKey: parsed,
        folder: home,
        mayConnect,
      });
      hosts.set(name, host);
      places.set(name, { name, address: host.address, port: host.port, hostKey: hostKey.public });
    }
    const first = layers.flat()[0];
    if (first === undefined) throw new Error("a lab needs a host");
    const place = places.get(first)!;
    link = await createDelayProxy({
      target: { host: place.address, port: place.port },
      delayMs: options.delayMs ?? 0,
      ...(options.bytesPerSecond === undefined ? {} : { bytesPerSecond: options.bytesPerSecond }),
    });
    places.set(first, { ...place, address: link.host, port: link.port });
  } catch (error) {
    await close();
    throw error;
  }

  const inventoryToml = inventory({ bastions, leaves, hosts, places, options, identityFile });
  const inventoryFile = path.join(folder, "inventory.toml");
  const knownHostsFile = path.join(folder, "known_hosts");
  const sshConfigFile = path.join(folder, "ssh_config");
  writeFileSync(inventoryFile, inventoryToml);
  writeFileSync(knownHostsFile, knownHosts(places.values(), options));
  writeFileSync(sshConfigFile, "");
  return {
    folder,
    hosts,
    bastions,
    leaves,
    user: USER,
    link,
    inventoryToml,
    inventoryFile,
    knownHostsFile,
    identityFile,
    options: ["-i", inventoryFile, "-F", sshConfigFile, "--known-hosts", knownHostsFile],
    host(name) {
      const host = hosts.get(name);
      if (!host) throw new Error(`the lab has no host ${name}`);
      return host;
    },
    close,
  };
}

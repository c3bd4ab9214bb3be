import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { type ContainerRuntimeClient, getContainerRuntimeClient, StartedNetwork } from "testcontainers";
import { createDelayProxy, type DelayProxy } from "../../../cli/lab/delay-proxy.js";
import { generateLabKey } from "../../../cli/lab/keys.js";
import { ContainerHost, type ContainerHostOptions, LAB_USER } from "./container-host.js";

export interface ContainerLabOptions {
  readonly image: string;
  /** Nested bastions b1, b2, ... Default 2 */
  readonly bastions?: number;
  /** What all bastions have of their own */
  readonly bastion?: Pick<ContainerHostOptions, "prepare" | "sshd" | "files">;
  /** Further bastions, each between this machine and the leaves. Default none */
  readonly beside?: readonly string[];
  /** Hosts behind the last bastion. Default l1, l2, l3 */
  readonly leaves?: Readonly<Record<string, ContainerHostOptions>>;
  /** Inventory group of a leaf. Default "web" */
  readonly groupOf?: (leaf: string) => string;
}

/** Real OpenSSH on nested networks: only b1 is reachable from here, b2 only from b1, leaves only from the last. */
export interface ContainerLab {
  readonly folder: string;
  readonly hosts: ReadonlyMap<string, ContainerHost>;
  readonly bastions: readonly string[];
  readonly leaves: readonly string[];
  /** The link from the controller to b1 */
  readonly link: DelayProxy;
  readonly inventoryFile: string;
  readonly knownHostsFile: string;
  readonly identityFile: string;
  /** Command-line options that make mop use it, and nothing of this machine's ssh configuration */
  readonly options: readonly string[];
  host(name: string): ContainerHost;
  close(): Promise<void>;
}

interface Layer {
  readonly network: StartedNetwork;
  readonly gateway: string;
}

async function createLayer(client: ContainerRuntimeClient, name: string, internal: boolean): Promise<Layer> {
  const created = await client.network.create({ Name: name, Driver: "bridge", Internal: internal });
  const { IPAM } = (await created.inspect()) as { IPAM: { Config: { Gateway?: string }[] } };
  const gateway = IPAM.Config[0]?.Gateway?.split("/")[0];
  if (gateway === undefined) throw new Error(`the network ${name} has no gateway`);
  return { network: new StartedNetwork(client, name, created), gateway };
}

function inventory(lab: {
  bastions: string[];
  beside: ReadonlyMap<string, string>;
  leaves: string[];
  link: DelayProxy;
  groupOf: (l: string) => string;
  vars: (leaf: string) => Readonly<Record<string, string | number>>;
}) {
  const table = (leaf: string) =>
    Object.entries(lab.vars(leaf)).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  const lines = ["[groups.all.vars]", `mop_user = "${LAB_USER}"`, 'root = "/srv/shop"', ""];
  for (const [index, name] of lab.bastions.entries()) {
    lines.push(`[hosts.${name}.vars]`);
    if (index === 0) lines.push(`mop_host = "${lab.link.host}"`, `mop_port = ${lab.link.port}`);
    else lines.push(`mop_via = "${lab.bastions[index - 1]}"`);
    lines.push("");
  }
  for (const [name, address] of lab.beside) lines.push(`[hosts.${name}.vars]`, `mop_host = "${address}"`, "");
  for (const group of new Set(lab.leaves.map(lab.groupOf))) {
    lines.push(`[groups.${group}.hosts]`);
    for (const leaf of lab.leaves)
      if (lab.groupOf(leaf) === group) lines.push(`${leaf} = { ${table(leaf).join(", ")} }`);
    lines.push("", `[groups.${group}.vars]`, `mop_via = "${lab.bastions.at(-1)}"`, "");
  }
  return lines.join("\n");
}

export async function createContainerLab(options: ContainerLabOptions): Promise<ContainerLab> {
  const client = await getContainerRuntimeClient();
  const bastions = Array.from({ length: options.bastions ?? 2 }, (_, i) => `b${i + 1}`);
  const leafOptions = options.leaves ?? { l1: {}, l2: {}, l3: {} };
  const leaves = Object.keys(leafOptions);
  const folder = mkdtempSync(path.join(os.tmpdir(), "mop-containers-"));
  const userKey = generateLabKey();
  const layers: Layer[] = [];
  const hosts = new Map<string, ContainerHost>();
  /** Addresses of those beside b1, as this machine finds them */
  const beside = new Map((options.beside ?? []).map((name) => [name, ""]));
  let link: DelayProxy | undefined;
  const close = async () => {
    await link?.close();
    await Promise.all([...hosts.values()].map(({ container }) => container.stop({ timeout: 0 })));
    for (const { network } of layers) await network.stop();
    rmSync(folder, { recursive: true, force: true });
  };

  try {
    // layers[0] joins the controller and b1, layers[i] the bastions i and i + 1, the last one holds the leaves.
    const prefix = path.basename(folder).toLowerCase();
    for (let i = 0; i <= bastions.length; i++)
      layers.push(await createLayer(client, `${prefix}-${i}`, i > 0));
    const startHost = async (name: string, layer: Layer, more: ContainerHostOptions) => {
      const { image } = options;
      const { network } = layer;
      const authorizedKey = userKey.public;
      hosts.set(name, await ContainerHost.start({ ...more, name, image, network, authorizedKey }));
    };
    const started = await Promise.allSettled([
      ...bastions.map((name, i) => startHost(name, layers[i]!, options.bastion ?? {})),
      ...[...beside.keys()].map((name) => startHost(name, layers[0]!, {})),
      ...leaves.map((name) => startHost(name, layers.at(-1)!, leafOptions[name]!)),
    ]);
    for (const result of started) if (result.status === "rejected") throw result.reason;
    const join = async (name: string, { network }: Layer) => {
      const container = client.container.getById(hosts.get(name)!.container.getId());
      await client.container.connectToNetwork(container, client.network.getById(network.getId()), [name]);
    };
    for (const [i, name] of bastions.entries()) await join(name, layers[i + 1]!);
    for (const name of beside.keys()) await join(name, layers.at(-1)!);
    const gateways = layers.slice(1).map((layer) => layer.gateway);
    await Promise.all([...hosts.values()].map((host) => host.shutOut(gateways)));
    const addressOf = (name: string) => hosts.get(name)!.container.getIpAddress(layers[0]!.network.getName());
    for (const name of beside.keys()) beside.set(name, addressOf(name));
    link = await createDelayProxy({ target: { host: addressOf("b1"), port: 22 } });
  } catch (error) {
    await close();
    throw error;
  }

  const identityFile = path.join(folder, "id_ed25519");
  const knownHostsFile = path.join(folder, "known_hosts");
  const inventoryFile = path.join(folder, "inventory.toml");
  const sshConfigFile = path.join(folder, "ssh_config");
  const groupOf = options.groupOf ?? (() => "web");
  const place = (name: string) =>
    name === "b1" ? `[${link.host}]:${link.port}` : (beside.get(name) ?? name);
  const keyOf = (host: ContainerHost) =>
    leafOptions[host.name]?.knownAs === "another" ? generateLabKey().public : host.hostKey;
  const vars = (leaf: string) => leafOptions[leaf]?.vars ?? {};
  writeFileSync(identityFile, userKey.private, { mode: 0o600 });
  writeFileSync(
    knownHostsFile,
    [...hosts.values()]
      .filter((host) => leafOptions[host.name]?.knownAs !== "unknown")
      .map((host) => `${place(host.name)} ${keyOf(host)}\n`)
      .join(""),
  );
  writeFileSync(inventoryFile, inventory({ bastions, beside, leaves, link, groupOf, vars }));
  writeFileSync(sshConfigFile, "");
  return {
    folder,
    hosts,
    bastions,
    leaves,
    link,
    inventoryFile,
    knownHostsFile,
    identityFile,
    options: [
      ...["-i", inventoryFile, "-F", sshConfigFile],
      ...["--known-hosts", knownHostsFile, "--identity", identityFile],
    ],
    host(name) {
      const host = hosts.get(name);
      if (!host) throw new Error(`the lab has no host ${name}`);
      return host;
    },
    close,
  };
}

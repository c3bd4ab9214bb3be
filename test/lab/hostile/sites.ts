/** Sites on loopback, each a bastion and a host behind it; some of their nodes are doubles. */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import ssh2 from "ssh2";
import { type LabHost, startLabHost } from "../../../cli/lab/host.js";
import { generateLabKey } from "../../../cli/lab/keys.js";
import { bundle } from "../../support/bundle.js";
import { createDelayProxy } from "../../support/lab.js";
import { type MopRun, startMop } from "../../support/mop.js";
import { policyFolder } from "../../support/policies.js";

export interface SiteOptions {
  /** Whose node is the double: the site's bastion, or the host behind it */
  readonly double: "bastion" | "host";
  readonly attack: string;
  readonly hop?: "relay" | "sealed" | "jump";
  /** The host takes a password instead of the key */
  readonly password?: boolean;
  /** Seconds that its role takes */
  readonly pause?: number;
}

export interface Site {
  readonly name: string;
  readonly bastion: LabHost;
  readonly host: LabHost;
  /** All that the double was given */
  record(): Buffer;
  /** What it did, a line each */
  acts(): string;
  /** Keys of the sessions that it was handed, in hex */
  keys(): string[];
  /** The role's file is there */
  done(): boolean;
}

export interface Outcome extends MopRun {
  /** Lines of the operator's audit log */
  readonly audit: string;
  /** Largest size of the controller's process, in bytes: when its first host was connected, and ever */
  readonly early: number;
  readonly peak: number;
}

export interface Sites {
  readonly sites: ReadonlyMap<string, Site>;
  /** The site without fault; its bastion's double alters nothing */
  readonly fair: Site;
  readonly vault: LabHost;
  readonly canary: string;
  /** What no hostile node may ever see, by name */
  readonly needles: ReadonlyMap<string, Buffer>;
  push(...args: string[]): Promise<Outcome>;
  close(): Promise<void>;
}

const USER = "deploy";
const FAIR = "fair";
/** Of what a hash can't be guessed, and what no compression makes shorter */
const PAYLOAD = randomBytes(3000);
const HASH = createHash("sha256").update(PAYLOAD).digest("hex");
const SECRET = `secret-${randomBytes(12).toString("hex")}`;
const PASSWORD = `password-${randomBytes(12).toString("hex")}`;

/** The honest site's role has a file and a secret that the others' has not. */
const POLICY = `
import { definePolicy, defineRole, secret } from "mop";
const site = defineRole({
  name: "site",
  async main({ vars, file, shell }) {
    if (vars.pause) await shell(\`touch \${vars.root}/started; sleep \${vars.pause}\`);
    await file(\`\${vars.root}/done\`, { content: "yes" });
  },
});
const fair = defineRole({
  name: "fair",
  vars: { token: secret("${SECRET}") },
  async main({ vars, file }) {
    await file(\`\${vars.root}/payload\`, { source: "payload.bin" });
    await file(\`\${vars.root}/token\`, { content: vars.token });
    await file(\`\${vars.root}/done\`, { content: "yes" });
  },
});
export default definePolicy({ roles: [{ role: fair, groups: ["fair"] }, { role: site, groups: ["others"] }] });
`;

const read = (file: string): Buffer => (existsSync(file) ? readFileSync(file) : Buffer.alloc(0));

/** Resident bytes of a process, at most so far; 0 when it is gone. */
function peakOf(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

export async function createSites(options: Readonly<Record<string, SiteOptions>>): Promise<Sites> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "mop-hostile-"));
  const program = await bundle(fileURLToPath(new URL("./double.ts", import.meta.url)), folder);
  const userKey = generateLabKey();
  const parsed = ssh2.utils.parseKey(userKey.public);
  if (parsed instanceof Error) throw parsed;
  const identity = path.join(folder, "id");
  writeFileSync(identity, userKey.private, { mode: 0o600 });
  const canary = path.join(folder, "canary");
  const known: string[] = [];
  const started: LabHost[] = [];
  let count = 0;

  async function start(name: string, extra: object = {}): Promise<LabHost> {
    const key = generateLabKey();
    const home = path.join(folder, name);
    mkdirSync(home);
    count++;
    const host = await startLabHost({
      name,
      address: process.platform === "linux" ? `127.0.9.${count}` : "127.0.0.1",
      user: USER,
      hostKey: key.private,
      userKey: parsed as ssh2.ParsedKey,
      folder: home,
      mayConnect: () => true,
      ...extra,
    });
    known.push(`[${host.address}]:${host.port} ${key.public}`);
    started.push(host);
    return host;
  }

  const vault = await start("vault", { password: PASSWORD });
  const vaultDoor = await createDelayProxy({ target: { host: vault.address, port: vault.port } });

  /** PATH and environment of a host where the double stands in Node's place. */
  function withDouble(name: string, started: string, attack: string, neighbour: () => object) {
    const bin = path.join(folder, `${name}-bin`);
    mkdirSync(bin);
    const told = path.join(bin, "told");
    writeFileSync(
      path.join(bin, "node"),
      `#!/bin/sh\n[ "$1" = -v ] && exec '${process.execPath}' -v\nMOP_TEST_DOUBLE=$(cat '${told}') exec '${process.execPath}' '${program}' "$@"\n`,
      { mode: 0o755 },
    );
    return {
      path: `${bin}:${process.env.PATH}`,
      /** Once its own address is known */
      tell(self: LabHost) {
        const knows = {
          attack,
          record: path.join(bin, "record"),
          acts: path.join(bin, "acts"),
          keys: path.join(bin, "keys"),
          vault: { host: vaultDoor.host, port: vaultDoor.port },
          neighbour: neighbour(),
          self: { host: self.address, port: self.port },
          blob: HASH,
          canary,
          started: path.join(folder, started, "started"),
        };
        writeFileSync(told, JSON.stringify(knows));
      },
      record: () => read(path.join(bin, "record")),
      acts: () => read(path.join(bin, "acts")).toString(),
      keys: () => read(path.join(bin, "keys")).toString().split("\n").filter(Boolean),
    };
  }

  const sites = new Map<string, Site>();
  const lines: string[] = [];
  const others: string[] = [];
  const add = async (name: string, { double, attack, hop, password, pause }: SiteOptions) => {
    const acted = withDouble(name, `${name}-host`, attack, () => {
      const { host } = sites.get(FAIR) ?? { host: vault };
      return { host: host.address, port: host.port };
    });
    const locked = password ? { acceptsKey: false, password: PASSWORD } : {};
    const quirks = { path: acted.path };
    const bastion = await start(name, double === "bastion" ? quirks : {});
    const host = await start(`${name}-host`, { ...locked, ...(double === "host" ? quirks : {}) });
    acted.tell(double === "bastion" ? bastion : host);
    const place = (at: LabHost) => [`mop_host = "${at.address}"`, `mop_port = ${at.port}`];
    lines.push(`[hosts."${name}".vars]`, ...place(bastion), `mop_hop = "${hop ?? "relay"}"`);
    lines.push(
      `[hosts."${name}-host".vars]`,
      ...place(host),
      `mop_via = "${name}"`,
      `root = "${host.folder}"`,
    );
    if (pause) lines.push(`pause = ${pause}`);
    if (password) lines.push(`mop_password = "${PASSWORD}"`);
    if (name !== FAIR) others.push(`${name}-host`);
    const { record, acts, keys } = acted;
    const done = () => existsSync(path.join(host.folder, "done"));
    sites.set(name, { name, bastion, host, record, acts, keys, done });
  };
  await add(FAIR, { double: "bastion", attack: "honest" });
  for (const [name, site] of Object.entries(options)) await add(name, site);

  const inventory = path.join(folder, "inventory.toml");
  const list = (hosts: readonly string[]) => hosts.map((name) => `"${name}" = ""`);
  writeFileSync(
    inventory,
    [
      "[groups.all.vars]",
      `mop_user = "${USER}"`,
      `mop_identity = "${identity}"`,
      "[groups.fair.hosts]",
      ...list([`${FAIR}-host`]),
      "[groups.others.hosts]",
      ...list(others),
      ...lines,
    ].join("\n"),
  );
  const knownHosts = path.join(folder, "known_hosts");
  writeFileSync(knownHosts, `${known.join("\n")}\n`);
  writeFileSync(path.join(folder, "ssh_config"), "");
  const policy = policyFolder(POLICY, { "payload.bin": PAYLOAD });
  const seed = Buffer.from(userKey.private.split("\n").slice(1, -2).join(""), "base64").subarray(-110, -40);

  return {
    sites,
    fair: sites.get(FAIR)!,
    vault,
    canary,
    needles: new Map([
      ["the private key", seed],
      ["the private key's file", Buffer.from(userKey.private.slice(60, 120))],
      ["the password", Buffer.from(PASSWORD)],
      ["the honest host's file", PAYLOAD.subarray(100, 164)],
      ["the honest host's secret", Buffer.from(SECRET)],
    ]),
    async push(...args) {
      const home = path.join(folder, "home");
      mkdirSync(home, { recursive: true });
      let early = 0;
      let peak = 0;
      const run = startMop(
        [
          "push",
          policy.policy,
          "-i",
          inventory,
          "-F",
          path.join(folder, "ssh_config"),
          "--known-hosts",
          knownHosts,
          ...args,
        ],
        {
          env: { HOME: home },
          onEvent() {
            early ||= peakOf(run.child.pid!);
          },
        },
      );
      const timer = setInterval(() => {
        peak = Math.max(peak, peakOf(run.child.pid!));
      }, 100);
      const result = await run.done.finally(() => clearInterval(timer));
      const audit = read(path.join(home, ".mop/audit.log")).toString();
      return { ...result, audit, early, peak };
    },
    async close() {
      await vaultDoor.close();
      await Promise.all(started.map((host) => host.close()));
      policy.remove();
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

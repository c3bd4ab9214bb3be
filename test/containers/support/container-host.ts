import { randomBytes } from "node:crypto";
import {
  GenericContainer,
  getContainerRuntimeClient,
  type StartedNetwork,
  type StartedTestContainer,
  Wait,
} from "testcontainers";
import { generateLabKey } from "../../../cli/lab/keys.js";

export interface ContainerHostOptions {
  /** Shell lines run by root before sshd starts */
  readonly prepare?: string;
  /** Lines of sshd_config, before the lab's own (sshd takes the first value of an option) */
  readonly sshd?: string;
  /** Files of this machine, by where they are to lie there; programs may be run */
  readonly files?: Readonly<Record<string, string>>;
  /** Folder to size: a small file system of its own, writable by all */
  readonly tmpfs?: Readonly<Record<string, string>>;
  /** Its inventory variables, over those of the lab: `{ mop_password: "..." }` */
  readonly vars?: Readonly<Record<string, string | number>>;
  /** What known_hosts says of it: its key (default), another one, or nothing */
  readonly knownAs?: "itself" | "another" | "unknown";
}

export interface ContainerHostSettings extends ContainerHostOptions {
  readonly name: string;
  readonly image: string;
  readonly network: StartedNetwork;
  readonly authorizedKey: string;
}

/** Containers of a run that was killed end by themselves. */
const LIFETIME_S = 1800;

export const LAB_USER = "deploy";

const start = (options: ContainerHostSettings) => `#!/bin/bash
set -eu
# A container that was restarted has it already
id ${LAB_USER} >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --password '*' ${LAB_USER}
install -d -o ${LAB_USER} -g ${LAB_USER} /srv
mkdir -p /run/sshd
${options.prepare ?? ""}
# bash stays as process 1: it buries orphans, so that none is left to be seen as a zombie.
timeout ${LIFETIME_S} /usr/sbin/sshd -D -e -f /lab/sshd_config &
trap "kill $!" TERM
wait $!
`;

const sshdConfig = (extra = "") => `${extra}
Port 22
HostKey /lab/host_key
AuthorizedKeysFile /lab/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PrintLastLog no
PidFile none
`;

/** `withNetworkAliases` would leave the container on Docker's default bridge too, where all could talk to all. */
class OneNetworkContainer extends GenericContainer {
  on(network: StartedNetwork, alias: string): this {
    this.createOpts.NetworkingConfig = { EndpointsConfig: { [network.getName()]: { Aliases: [alias] } } };
    return this.withNetworkMode(network.getName());
  }
}

/** One entry of a container's file system, as \`files()\` gives it: all that a write would change. */
export type FileStamps = ReadonlyMap<string, string>;

/** A container with OpenSSH, as a test looks at it from outside: by the engine, not over SSH. */
export class ContainerHost {
  readonly name: string;
  /** "ssh-ed25519 AAAA..." */
  readonly hostKey: string;
  readonly container: StartedTestContainer;

  private constructor(name: string, hostKey: string, container: StartedTestContainer) {
    this.name = name;
    this.hostKey = hostKey;
    this.container = container;
  }

  static async start(settings: ContainerHostSettings): Promise<ContainerHost> {
    const hostKey = generateLabKey();
    const container = await new OneNetworkContainer(settings.image)
      .on(settings.network, settings.name)
      .withHostname(settings.name)
      // To set its routes, and to look into the memory of its processes
      .withAddedCapabilities("NET_ADMIN", "SYS_PTRACE")
      .withTmpFs({ ...settings.tmpfs })
      .withCopyFilesToContainer(
        Object.entries(settings.files ?? {}).map(([target, source]) => ({ target, source, mode: 0o755 })),
      )
      .withCopyContentToContainer([
        { target: "/lab/start", content: start(settings), mode: 0o755 },
        { target: "/lab/sshd_config", content: sshdConfig(settings.sshd) },
        { target: "/lab/host_key", content: hostKey.private, mode: 0o600 },
        { target: "/lab/authorized_keys", content: `${settings.authorizedKey}\n`, mode: 0o644 },
      ])
      .withCommand(["/lab/start"])
      .withWaitStrategy(Wait.forLogMessage(/Server listening on 0\.0\.0\.0/))
      .start();
    return new ContainerHost(settings.name, hostKey.public, container);
  }

  /** Runs a shell command as root and gives its stdout; a failure is an error with its stderr. */
  async sh(command: string, user = "root"): Promise<string> {
    const ran = await this.container.exec(["sh", "-c", command], { user });
    if (ran.exitCode !== 0) throw new Error(`${this.name}: "${command}" gave ${ran.exitCode}: ${ran.output}`);
    return ran.stdout;
  }

  /**
   * What sshd has said from its start to this moment. The engine takes it down a little later: a word of our own goes the
   * same way and is waited for.
   */
  async log(): Promise<string> {
    const { container } = await getContainerRuntimeClient();
    const mark = `until here: ${randomBytes(8).toString("hex")}`;
    await this.sh(`echo "${mark}" >/proc/1/fd/2`);
    for (;;) {
      const logs = container
        .getById(this.container.getId())
        .logs({ stdout: true, stderr: true, follow: false });
      const text = ((await logs) as unknown as Buffer).toString("latin1");
      const at = text.indexOf(mark);
      if (at >= 0) return text.slice(0, at);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Keeps this machine, which has these addresses on the container's networks, from talking to it. */
  async shutOut(gateways: readonly string[]): Promise<void> {
    for (const gateway of gateways) await this.sh(`ip route add prohibit ${gateway}`);
  }

  /** Every process but the kernel's, the container's own start and this look: "pid user args". */
  async processes(): Promise<string[]> {
    const lines = (await this.sh("ps -eo pid=,user=,args= --width 4096")).split("\n");
    return lines.filter(
      (line) => line.trim() !== "" && !/ps -eo pid=|\/lab\/start|sshd -D|sshd: \/usr/.test(line),
    );
  }

  /** Processes of Node, whatever they call themselves: those whose program is the container's node. */
  async nodePids(): Promise<number[]> {
    const found = await this.sh(
      'for p in /proc/[0-9]*; do echo "$p $(readlink $p/exe || true)"; done',
      LAB_USER,
    );
    return [...found.matchAll(/^\/proc\/(\d+) .*\/node/gm)].map((match) => Number(match[1]));
  }

  /** Arguments and environment of all processes as far as this user may see them, NULs as spaces. */
  async visible(user = "root"): Promise<string> {
    const look =
      'for f in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do tr "\\0" " " <"$f"; done 2>/dev/null; true';
    return this.sh(look, user);
  }

  /** Every path of every file system but the kernel's own two, with what changes when it is written. */
  async files(): Promise<FileStamps> {
    const list = await this.sh(
      "find / \\( -path /proc -o -path /sys \\) -prune -o -printf '%p\\t%y %s %m %u %C@\\n' | sort",
    );
    const entries = list.split("\n").filter((line) => line !== "");
    return new Map(entries.map((line) => line.split("\t", 2) as [string, string]));
  }
}

/** Paths that are new, gone or changed. */
export function changedFiles(before: FileStamps, after: FileStamps): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((name) => before.get(name) !== after.get(name)).sort();
}

import { MARK } from "./mark.js";
import type { ExecOptions, ExecResult } from "./types.js";

/** What a leaf knows of its host, gathered there at the start of a role. */
export interface Facts {
  readonly hostname: string;
  readonly fqdn: string;
  /** "linux", "darwin", "freebsd" */
  readonly platform: string;
  /** As `uname -m`: "x86_64", "aarch64" */
  readonly architecture: string;
  readonly kernel: string;
  readonly distribution: {
    /** os-release ID: "debian", "alpine" */
    readonly id: string;
    readonly name: string;
    readonly version: string;
    readonly codename: string;
    /** ID_LIKE */
    readonly like: readonly string[];
  };
  readonly cpus: { readonly count: number; readonly model: string };
  /** Bytes */
  readonly memory: { readonly total: number; readonly free: number };
  readonly addresses: readonly {
    readonly interface: string;
    readonly family: "IPv4" | "IPv6";
    readonly address: string;
    readonly internal: boolean;
  }[];
  readonly user: {
    readonly name: string;
    readonly uid: number;
    readonly gid: number;
    readonly home: string;
    readonly shell: string;
  };
  /** "apt", "dnf", "yum", "zypper", "pacman", "apk", "brew" or null */
  readonly packageManager: string | null;
  /** "systemd", "openrc", "sysvinit", "launchd" or null */
  readonly serviceManager: string | null;
  /** process.version of the Node that runs the leaf */
  readonly node: string;
}

/** What stands at a path. Links are followed. Under --check it is what was planned so far. */
export interface FileTests {
  exists(path: string): Promise<boolean>;
  isFile(path: string): Promise<boolean>;
  isDirectory(path: string): Promise<boolean>;
  /** Whether it is a file that the role's user may run */
  executable(path: string): Promise<boolean>;
  /** Permission bits, to be compared with 0o644; null where nothing stands, as for all that follow */
  mode(path: string): Promise<number | null>;
  /** The owner's name, or the id as text for one without a name */
  owner(path: string): Promise<string | null>;
  group(path: string): Promise<string | null>;
  /** Bytes of a file */
  size(path: string): Promise<number | null>;
  /** Hash of a file's content, hex; null too where a check knows no content. Default SHA-256 */
  checksum(path: string, algorithm?: "sha256" | "sha512" | "sha1" | "md5"): Promise<string | null>;
}

export interface Chaos {
  /** From 0 up to 1, without it */
  random(): number;
  /** One of them, each as likely; throws an error for an empty list */
  choice<T>(list: readonly T[]): T;
}

export interface Mount {
  /** Device, "tmpfs", "server:/export" */
  readonly source: string;
  /** Where it is mounted */
  readonly path: string;
  /** "ext4", "nfs4" */
  readonly type: string;
  readonly options: readonly string[];
  /** Bytes; null for what has no size, and for network file systems, which may hang */
  readonly size: number | null;
  /** Bytes that a plain user may still write */
  readonly available: number | null;
}

export interface NetworkInterface {
  readonly name: string;
  readonly up: boolean;
  readonly mac: string | null;
  readonly mtu: number | null;
  /** The IPv4 gateway, when the default route goes here */
  readonly gateway: string | null;
  readonly addresses: readonly {
    readonly family: "IPv4" | "IPv6";
    readonly address: string;
    /** Bits of the network */
    readonly prefix: number;
  }[];
}

export interface Virtualization {
  /** What the host is: in a container on a virtual machine it is the container */
  readonly kind: "container" | "vm" | "none";
  /** "docker", "podman", "lxc", "systemd-nspawn", "kubernetes", "wsl"; "kvm", "vmware", "xen", "hyperv", ...; null where unknown */
  readonly name: string | null;
}

/** What a fact may be: what JSON can say. */
export type FactValue =
  | string
  | number
  | boolean
  | null
  | readonly FactValue[]
  | { readonly [name: string]: FactValue };

/**
 * Facts that cost something, so they are gathered only when a role asks: each once in a role's run on a host, however
 * often it is asked for. Templates don't see them; hand them over: `{ template, vars: { mounts: await facts.mounts() } }`.
 */
export interface GatheredFacts {
  mounts(): Promise<readonly Mount[]>;
  interfaces(): Promise<readonly NetworkInterface[]>;
  virtualization(): Promise<Virtualization>;
  /**
   * The facts that an administrator put on the host: a file in /etc/mop/facts.d or /etc/opsmop/facts.d is the fact of
   * its name without the ending. `.json`, `.toml`, `.yaml` and `.yml` are read; a program (a file that is executable) is
   * run and prints JSON. Fails when one of them can't be read, and for what others than root and the role's user may
   * write.
   *
   * @example
   * const { rack } = await facts.custom(); // from /etc/mop/facts.d/rack.json
   */
  custom(): Promise<{ readonly [name: string]: FactValue }>;
}

/**
 * What `main` has as `facts`: the plain facts as values, tests of files, chance, and functions for what is gathered
 * when it is asked for, a role's own facts among them.
 *
 * @example
 * if (facts.distribution.id === "debian" && !(await facts.file.exists("/etc/debian_version"))) throw new Error("odd");
 * const root = (await facts.mounts()).find(({ path }) => path === "/");
 */
export interface RoleFacts extends Facts, GatheredFacts {
  readonly file: FileTests;
  readonly chaos: Chaos;
  /** Forgets what was gathered, own facts too: after a change that concerns it, it is gathered anew when it is asked for */
  invalidate(): void;
}

/** What a fact of one's own works with, on the host. */
export interface FactContext {
  readonly facts: RoleFacts;
  /** Aborted by a cancelled run */
  readonly signal: AbortSignal;
  /** Runs a program without a shell, in the locale C, under --check too: it must change nothing. As TypeContext.exec */
  exec(program: string, args: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** A file's content; undefined where there is none. Under --check as planned */
  read(path: string): Promise<string | undefined>;
}

export interface FactDefinition<T = unknown> {
  readonly [MARK]: "fact";
  gather(context: FactContext): T | Promise<T>;
}

/**
 * A fact of one's own. A role names it in `facts`, and its `main` asks for it as for the built-in ones: gathered on the
 * host when it is asked for, once in a run.
 *
 * @example
 * const release = defineFact(async ({ read }) => (await read("/srv/shop/RELEASE"))?.trim() ?? null);
 * export const shop = defineRole({
 *   name: "shop",
 *   facts: { release },
 *   async main({ facts, echo }) {
 *     await echo(`the shop's release is ${await facts.release()}`);
 *   },
 * });
 */
export function defineFact<T>(gather: (context: FactContext) => T | Promise<T>): FactDefinition<T> {
  return { gather, [MARK]: "fact" };
}

/** The functions that a role gets for its own facts. */
export type FactFunctions<F> = {
  readonly [K in keyof F]: F[K] extends FactDefinition<infer T> ? () => Promise<T> : never;
};

/** The facts that are gathered when they are asked for; `mop facts` prints them too. */
export const GATHERED = [
  "mounts",
  "interfaces",
  "virtualization",
  "custom",
] as const satisfies readonly (keyof GatheredFacts)[];

/** The facts that are there from the start. */
export const PLAIN = [
  ...(["hostname", "fqdn", "platform", "architecture", "kernel", "distribution", "cpus", "memory"] as const),
  ...(["addresses", "user", "packageManager", "serviceManager", "node"] as const),
] as const satisfies readonly (keyof Facts)[];

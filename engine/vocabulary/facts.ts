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

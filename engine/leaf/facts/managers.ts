/** What is known of a host without running anything. */
export interface Installed {
  readonly platform: string;
  /** Whether a program lies in PATH or a usual place */
  readonly program: (name: string) => boolean;
  readonly exists: (path: string) => boolean;
  /** Contents of /proc/1/comm, "" where there is none */
  readonly init: string;
  /** os-release ID and ID_LIKE */
  readonly family: readonly string[];
}

const PACKAGE_MANAGERS: readonly {
  readonly name: string;
  readonly program: string;
  readonly of: readonly string[];
}[] = [
  { name: "apt", program: "apt-get", of: ["debian", "ubuntu"] },
  { name: "dnf", program: "dnf", of: ["fedora", "rhel", "centos"] },
  { name: "yum", program: "yum", of: ["rhel", "centos"] },
  { name: "zypper", program: "zypper", of: ["suse", "opensuse", "sles"] },
  { name: "pacman", program: "pacman", of: ["arch"] },
  { name: "apk", program: "apk", of: ["alpine"] },
];

/** The one that belongs to the distribution, where several are installed (apt on Fedora, dnf on Debian). */
export function packageManager({ platform, program, family }: Installed): string | null {
  if (platform === "darwin") return program("brew") ? "brew" : null;
  const there = PACKAGE_MANAGERS.filter((manager) => program(manager.program));
  const own = there.find(({ of }) => of.some((id) => family.includes(id)));
  return (own ?? there[0])?.name ?? null;
}

/** Who supervises services now, not who is merely installed. */
export function serviceManager({ platform, exists, program, init }: Installed): string | null {
  if (platform === "darwin") return "launchd";
  // sd_booted(3): this folder exists only where systemd is the running init.
  if (exists("/run/systemd/system")) return "systemd";
  if (exists("/run/openrc") || (program("openrc") && program("rc-service"))) return "openrc";
  if (init === "init" && exists("/etc/init.d")) return "sysvinit";
  return null;
}

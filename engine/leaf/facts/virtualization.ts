import type { Virtualization } from "../../vocabulary/facts.js";

/** What gives a virtual host away; "" for what is not there. */
export interface VirtualizationSigns {
  exists(path: string): boolean;
  /** /run/systemd/container, or `container` in the environment of process 1 */
  readonly container: string;
  /** /proc/1/cgroup */
  readonly cgroup: string;
  /** /proc/sys/kernel/osrelease */
  readonly kernel: string;
  readonly cpuinfo: string;
  /** /sys/class/dmi/id: sys_vendor, product_name, bios_vendor, board_vendor */
  readonly dmi: string;
  /** /sys/hypervisor/type */
  readonly hypervisor: string;
}

const NAMES: Readonly<Record<string, string>> = { "systemd-nspawn": "systemd-nspawn", oci: "docker" };

const CGROUPS: readonly (readonly [RegExp, string])[] = [
  [/kubepods/, "kubernetes"],
  [/libpod/, "podman"],
  [/docker|containerd/, "docker"],
  [/\/lxc/, "lxc"],
  [/machine\.slice/, "systemd-nspawn"],
];

const MACHINES: readonly (readonly [RegExp, string])[] = [
  [/VMware/i, "vmware"],
  [/VirtualBox|innotek/i, "virtualbox"],
  [/Xen/i, "xen"],
  [/Microsoft Corporation[\s\S]*Virtual Machine/i, "hyperv"],
  [/Parallels/i, "parallels"],
  [/BHYVE/i, "bhyve"],
  [/Amazon EC2|KVM|OpenStack|Google Compute Engine|DigitalOcean|Hetzner/i, "kvm"],
  [/QEMU|Bochs/i, "qemu"],
];

export function detectVirtualization(signs: VirtualizationSigns): Virtualization {
  const container = containerOf(signs);
  if (container !== undefined) return { kind: "container", name: container };
  const machine = MACHINES.find(([pattern]) => pattern.test(signs.dmi))?.[1];
  const hypervisor = signs.hypervisor.trim();
  if (hypervisor !== "") return { kind: "vm", name: hypervisor };
  if (machine !== undefined) return { kind: "vm", name: machine };
  // The processor says that something is below it, if not what.
  return /^flags\s*:.*\bhypervisor\b/m.test(signs.cpuinfo)
    ? { kind: "vm", name: null }
    : { kind: "none", name: null };
}

function containerOf({ exists, container, cgroup, kernel }: VirtualizationSigns): string | undefined {
  if (/microsoft|wsl/i.test(kernel) && !exists("/.dockerenv")) return "wsl";
  const byCgroup = CGROUPS.find(([pattern]) => pattern.test(cgroup))?.[1];
  if (byCgroup === "kubernetes" || exists("/var/run/secrets/kubernetes.io")) return "kubernetes";
  if (exists("/run/.containerenv")) return "podman";
  if (exists("/.dockerenv")) return "docker";
  const named = container.trim();
  return named === "" ? byCgroup : (NAMES[named] ?? named);
}

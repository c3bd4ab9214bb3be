import { describe, expect, test } from "vitest";
import { joinInterfaces, parseDefaultRoutes } from "../../../../engine/leaf/facts/interfaces.js";
import {
  hasSize,
  parseDf,
  parseMountProgram,
  parseMounts,
  withSizes,
} from "../../../../engine/leaf/facts/mounts.js";
import {
  detectVirtualization,
  type VirtualizationSigns,
} from "../../../../engine/leaf/facts/virtualization.js";

const MOUNTS = `sysfs /sys sysfs rw,nosuid 0 0
/dev/mapper/vg-root / ext4 rw,relatime,errors=remount-ro 0 0
//nas/share /mnt/with\\040blank\\134and\\011tab cifs rw 0 0
nas:/export /srv/nfs nfs4 ro,vers=4.2 0 0
tmpfs /run tmpfs rw,size=1k 0 0
`;
const DF = `Filesystem                1024-blocks     Used Available Capacity Mounted on
/dev/mapper/vg-root          10000000  5000000   4000000      56% /
tmpfs                            1000       10       990       2% /run
nas:/export                  4096        0      4096       0% /srv/nfs
none                             2048     2048       -20     101% /with a blank
`;
const MAC = `/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
devfs on /dev (devfs, local, nobrowse)
map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)
/dev/disk5 on /Volumes/My (Disk) (hfs)
`;

describe("mounts", () => {
  test("/proc/self/mounts is read, with blanks, backslashes and tabs in names", () => {
    expect(parseMounts(MOUNTS).map(({ source, path, type }) => [source, path, type])).toEqual([
      ["sysfs", "/sys", "sysfs"],
      ["/dev/mapper/vg-root", "/", "ext4"],
      ["//nas/share", "/mnt/with blank\\and\ttab", "cifs"],
      ["nas:/export", "/srv/nfs", "nfs4"],
      ["tmpfs", "/run", "tmpfs"],
    ]);
    expect(parseMounts(MOUNTS)[1]?.options).toEqual(["rw", "relatime", "errors=remount-ro"]);
    expect(parseMounts("")).toEqual([]);
    expect(parseMounts("half a line\n")).toEqual([]);
  });

  test("what `mount` prints on macOS is read", () => {
    expect(parseMountProgram(MAC).map(({ source, path, type }) => [source, path, type])).toEqual([
      ["/dev/disk3s1s1", "/", "apfs"],
      ["devfs", "/dev", "devfs"],
      ["map auto_home", "/System/Volumes/Data/home", "autofs"],
      ["/dev/disk5", "/Volumes/My (Disk)", "hfs"],
    ]);
    expect(parseMountProgram(MAC)[0]?.options).toEqual(["sealed", "local", "read-only", "journaled"]);
  });

  test("sizes come from df, and only local file systems are asked for them", () => {
    const places = parseMounts(MOUNTS);
    expect(places.filter(hasSize).map(({ path }) => path)).toEqual(["/", "/run"]);
    expect(parseDf(DF).get("/with a blank")).toEqual({ size: 2_097_152, available: 0 });
    const sized = withSizes(places, parseDf(DF));
    expect(sized[1]).toMatchObject({ size: 10_240_000_000, available: 4_096_000_000 });
    expect(sized[3]).toMatchObject({ path: "/srv/nfs", size: null, available: null });
  });
});

const ROUTES = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t00000000\tFE0200C0\t0003\t0\t0\t50\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0
`;

describe("interfaces", () => {
  test("the default route with the lowest metric tells the gateway", () => {
    expect([...parseDefaultRoutes(ROUTES)]).toEqual([["eth0", "192.0.2.254"]]);
    expect([...parseDefaultRoutes("")]).toEqual([]);
  });

  test("what the kernel and Node know is joined, those without an address too", () => {
    const kernel = [
      { name: "eth0", address: "02:00:00:00:00:01", mtu: "1500", operstate: "up", flags: "0x1003" },
      { name: "eth1", address: "02:00:00:00:00:02", mtu: "9000", operstate: "down", flags: "0x1003" },
      { name: "lo", address: "00:00:00:00:00:00", mtu: "65536", operstate: "unknown", flags: "0x9" },
    ];
    const address = {
      address: "192.0.2.2",
      cidr: "192.0.2.2/24",
      family: "IPv4" as const,
      netmask: "255.255.255.0",
      mac: "02:00:00:00:00:01",
      internal: false,
    };
    const found = joinInterfaces(kernel, { eth0: [address], en7: [address] }, parseDefaultRoutes(ROUTES));
    const addresses = [{ family: "IPv4", address: "192.0.2.2", prefix: 24 }];
    expect(found).toEqual([
      { name: "en7", up: true, mac: "02:00:00:00:00:01", mtu: null, gateway: null, addresses },
      { name: "eth0", up: true, mac: "02:00:00:00:00:01", mtu: 1500, gateway: "192.0.2.254", addresses },
      { name: "eth1", up: false, mac: "02:00:00:00:00:02", mtu: 9000, gateway: null, addresses: [] },
      { name: "lo", up: true, mac: null, mtu: 65536, gateway: null, addresses: [] },
    ]);
  });
});

const METAL: VirtualizationSigns = {
  exists: () => false,
  container: "",
  cgroup: "0::/init.scope\n",
  kernel: "6.1.0-13-amd64\n",
  cpuinfo: "flags\t\t: fpu vme sse2\n",
  dmi: "Dell Inc.\nPowerEdge R640\nDell Inc.\nDell Inc.\n",
  hypervisor: "",
};
const GUEST = { cpuinfo: "flags\t\t: fpu hypervisor lahf_lm\n" };
const exists = (...there: string[]) => ({ exists: (path: string) => there.includes(path) });

test.each<[string, Partial<VirtualizationSigns>, string, string | null]>([
  ["a server", {}, "none", null],
  ["KVM of a cloud", { ...GUEST, dmi: "Google\nGoogle Compute Engine\nGoogle\nGoogle\n" }, "vm", "kvm"],
  ["Amazon", { ...GUEST, dmi: "Amazon EC2\nm5.large\nAmazon EC2\nAmazon EC2\n" }, "vm", "kvm"],
  ["QEMU", { ...GUEST, dmi: "QEMU\nStandard PC (Q35 + ICH9, 2009)\nSeaBIOS\n\n" }, "vm", "qemu"],
  ["VMware", { ...GUEST, dmi: "VMware, Inc.\nVMware7,1\nVMware, Inc.\nIntel Corporation\n" }, "vm", "vmware"],
  [
    "VirtualBox",
    { ...GUEST, dmi: "innotek GmbH\nVirtualBox\ninnotek GmbH\nOracle Corporation\n" },
    "vm",
    "virtualbox",
  ],
  [
    "Hyper-V",
    { ...GUEST, dmi: "Microsoft Corporation\nVirtual Machine\nMicrosoft Corporation\n" },
    "vm",
    "hyperv",
  ],
  [
    "a Surface, which is Microsoft's and no machine of Hyper-V",
    { dmi: "Microsoft Corporation\nSurface Pro\n" },
    "none",
    null,
  ],
  ["Xen without a BIOS", { ...GUEST, dmi: "", hypervisor: "xen\n" }, "vm", "xen"],
  ["a hypervisor that hides", { ...GUEST, dmi: "" }, "vm", null],
  ["Docker", exists("/.dockerenv"), "container", "docker"],
  ["Docker on a virtual machine", { ...GUEST, ...exists("/.dockerenv") }, "container", "docker"],
  ["Docker by its cgroup", { cgroup: "12:memory:/docker/abc\n" }, "container", "docker"],
  ["Podman", exists("/run/.containerenv"), "container", "podman"],
  [
    "a pod",
    { ...exists("/.dockerenv"), cgroup: "1:name=systemd:/kubepods/pod1/abc\n" },
    "container",
    "kubernetes",
  ],
  ["LXC", { container: "lxc", cgroup: "0::/\n" }, "container", "lxc"],
  ["nspawn", { container: "systemd-nspawn\n" }, "container", "systemd-nspawn"],
  ["WSL", { ...GUEST, kernel: "5.15.90.1-microsoft-standard-WSL2\n" }, "container", "wsl"],
])("virtualisation: %s", (_, signs, kind, name) => {
  expect(detectVirtualization({ ...METAL, ...signs })).toEqual({ kind, name });
});

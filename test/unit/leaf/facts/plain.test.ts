import os from "node:os";
import { expect, test } from "vitest";
import { gatherFacts } from "../../../../engine/leaf/facts/gather.js";
import { type Installed, packageManager, serviceManager } from "../../../../engine/leaf/facts/managers.js";
import { parseOsRelease, parseSystemVersion } from "../../../../engine/leaf/facts/os-release.js";
import { parseAvailableMemory, parseCpuModel, parseFqdn } from "../../../../engine/leaf/facts/proc.js";

const DEBIAN = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
`;
const UBUNTU = `NAME="Ubuntu"\nVERSION_ID="24.04"\nVERSION="24.04.1 LTS (Noble Numbat)"\nVERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\n`;
const ALPINE = `NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="Alpine Linux v3.20"\n`;
const ROCKY = `NAME="Rocky Linux"\nVERSION="9.4 (Blue Onyx)"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n`;
const SUSE = `NAME="openSUSE Leap"\nVERSION="15.6"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.6"\n`;
const ARCH = `NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\n# a comment\nHOME_URL='https://archlinux.org/'\n`;
const MACOS = `<?xml version="1.0"?><plist><dict><key>ProductName</key>\n<string>macOS</string>
<key>ProductVersion</key><string>14.5</string></dict></plist>`;

const distribution = (id: string, name: string, version: string, codename: string, ...like: string[]) => ({
  id,
  name,
  version,
  codename,
  like,
});

test.each([
  [DEBIAN, distribution("debian", "Debian GNU/Linux", "12", "bookworm")],
  [UBUNTU, distribution("ubuntu", "Ubuntu", "24.04", "noble", "debian")],
  [ALPINE, distribution("alpine", "Alpine Linux", "3.20.3", "")],
  [ROCKY, distribution("rocky", "Rocky Linux", "9.4", "blue onyx", "rhel", "centos", "fedora")],
  [SUSE, distribution("opensuse-leap", "openSUSE Leap", "15.6", "", "suse", "opensuse")],
  [ARCH, distribution("arch", "Arch Linux", "rolling", "")],
  ["", distribution("linux", "Linux", "", "")],
])("os-release %j is read", (text, expected) => {
  expect(parseOsRelease(text)).toEqual(expected);
});

test("macOS is read from SystemVersion.plist", () => {
  expect(parseSystemVersion(MACOS)).toEqual(distribution("macos", "macOS", "14.5", "", "darwin"));
});

const host = (
  text: string,
  programs: string[],
  paths: string[] = [],
  init = "",
  platform = "linux",
): Installed => {
  const { id, like } = parseOsRelease(text);
  return {
    platform,
    program: (name) => programs.includes(name),
    exists: (path) => paths.includes(path),
    init,
    family: [id, ...like],
  };
};

test.each([
  ["Debian", host(DEBIAN, ["apt-get", "dnf"], ["/run/systemd/system"], "systemd"), "apt", "systemd"],
  ["Debian in a container", host(DEBIAN, ["apt-get"], [], "sleep"), "apt", null],
  ["Ubuntu", host(UBUNTU, ["apt-get"], ["/run/systemd/system"]), "apt", "systemd"],
  ["Alpine", host(ALPINE, ["apk", "openrc", "rc-service"], ["/etc/init.d"], "init"), "apk", "openrc"],
  ["Rocky", host(ROCKY, ["yum", "dnf"], ["/run/systemd/system"]), "dnf", "systemd"],
  ["Rocky with apt installed", host(ROCKY, ["apt-get", "dnf"]), "dnf", null],
  [
    "CentOS 7",
    host(`ID="centos"\nID_LIKE="rhel fedora"`, ["yum"], ["/run/systemd/system"]),
    "yum",
    "systemd",
  ],
  ["openSUSE", host(SUSE, ["zypper"], ["/run/systemd/system"]), "zypper", "systemd"],
  ["Arch", host(ARCH, ["pacman"], ["/run/systemd/system"]), "pacman", "systemd"],
  ["Devuan", host(`ID=devuan\nID_LIKE=debian`, ["apt-get"], ["/etc/init.d"], "init"), "apt", "sysvinit"],
  ["macOS", host("", ["brew"], [], "", "darwin"), "brew", "launchd"],
  ["an unknown system", host("", []), null, null],
])("%s has its package and service manager", (_name, installed, packages, services) => {
  expect(packageManager(installed)).toBe(packages);
  expect(serviceManager(installed)).toBe(services);
});

test("memory, processor and full name are read from their files", () => {
  expect(parseAvailableMemory("MemTotal:  100 kB\nMemAvailable:   50 kB\n")).toBe(51_200);
  expect(parseAvailableMemory("MemTotal:  100 kB\n")).toBeUndefined();
  expect(parseCpuModel("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n")).toBe("Some CPU @ 2 GHz");
  expect(parseCpuModel("processor\t: 0\nBogoMIPS\t: 50\n")).toBe("");
  expect(parseFqdn("127.0.0.1 localhost\n127.0.1.1 l1.example.org l1 # here\n", "l1")).toBe("l1.example.org");
  expect(parseFqdn("127.0.0.1 localhost l1\n", "l1")).toBeUndefined();
});

test("this host's facts are gathered without a command and are all there", () => {
  const facts = gatherFacts();
  expect(facts.platform).toBe(process.platform);
  expect(facts.node).toBe(process.version);
  expect(os.hostname().startsWith(facts.hostname)).toBe(true);
  expect(facts.cpus.count).toBe(os.cpus().length);
  expect(facts.memory.total).toBeGreaterThan(0);
  expect(facts.user.uid).toBe(process.getuid?.());
  expect(facts.addresses.some(({ address }) => address === "127.0.0.1")).toBe(true);
  expect(facts.distribution.id).not.toBe("");
});

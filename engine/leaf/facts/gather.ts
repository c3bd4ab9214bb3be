import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Facts } from "../../vocabulary/facts.js";
import { type Installed, packageManager, serviceManager } from "./managers.js";
import { type Distribution, parseOsRelease, parseSystemVersion } from "./os-release.js";
import { parseAvailableMemory, parseCpuModel, parseFqdn } from "./proc.js";

/** Where system programs lie, though a plain user's PATH may not say so. */
const SYSTEM_PATH = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
  "/opt/homebrew/bin",
];

/** What this host is; a few small files, no command and no root. */
export function gatherFacts(): Facts {
  const hostname = os.hostname();
  const [short = hostname] = hostname.split(".");
  const distribution = distributionOf(process.platform);
  const cpus = os.cpus();
  const installed: Installed = {
    platform: process.platform,
    program: (name) => inPath(name),
    exists: existsSync,
    init: read("/proc/1/comm").trim(),
    family: [distribution.id, ...distribution.like],
  };
  return {
    hostname: short,
    fqdn: hostname.includes(".") ? hostname : (parseFqdn(read("/etc/hosts"), hostname) ?? hostname),
    platform: process.platform,
    architecture: architecture(),
    kernel: os.release(),
    distribution,
    cpus: { count: cpus.length, model: cpus[0]?.model.trim() || parseCpuModel(read("/proc/cpuinfo")) },
    memory: { total: os.totalmem(), free: parseAvailableMemory(read("/proc/meminfo")) ?? os.freemem() },
    addresses: addresses(os.networkInterfaces()),
    user: user(),
    packageManager: packageManager(installed),
    serviceManager: serviceManager(installed),
    node: process.version,
  };
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function distributionOf(platform: string): Distribution {
  if (platform === "darwin")
    return parseSystemVersion(read("/System/Library/CoreServices/SystemVersion.plist"));
  const text = read("/etc/os-release") || read("/usr/lib/os-release");
  if (text !== "") return parseOsRelease(text);
  return { id: platform, name: os.type(), version: os.release(), codename: "", like: [] };
}

function inPath(name: string): boolean {
  const folders = new Set([...(process.env.PATH ?? "").split(":"), ...SYSTEM_PATH]);
  for (const folder of folders) {
    if (!folder.startsWith("/")) continue;
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return true;
    } catch {
      // Not here.
    }
  }
  return false;
}

/** As `uname -m` says it; os.machine() is younger than Node 16. */
const MACHINES: Readonly<Record<string, string>> = {
  x64: "x86_64",
  arm64: process.platform === "darwin" ? "arm64" : "aarch64",
  ia32: "i686",
  arm: "armv7l",
  ppc64: "ppc64le",
};

function architecture(): string {
  const { machine } = os as { machine?: () => string };
  return machine?.() ?? MACHINES[process.arch] ?? process.arch;
}

function addresses(interfaces: ReturnType<typeof os.networkInterfaces>): Facts["addresses"] {
  return Object.entries(interfaces).flatMap(([name, list]) =>
    (list ?? []).map(({ family, address, internal }) => ({
      interface: name,
      // A number in Node 18.0 to 18.3.
      family: String(family).endsWith("6") ? ("IPv6" as const) : ("IPv4" as const),
      address,
      internal,
    })),
  );
}

function user(): Facts["user"] {
  try {
    const { username, uid, gid, homedir, shell } = os.userInfo();
    return { name: username, uid, gid, home: homedir, shell: shell ?? process.env.SHELL ?? "/bin/sh" };
  } catch {
    // An id without an account, as in containers.
    const uid = process.getuid?.() ?? -1;
    return {
      name: process.env.USER ?? String(uid),
      uid,
      gid: process.getgid?.() ?? -1,
      home: process.env.HOME ?? "/",
      shell: process.env.SHELL ?? "/bin/sh",
    };
  }
}

/** Bytes that /proc/meminfo says can be used without swapping; undefined on kernels before 3.14. */
export function parseAvailableMemory(meminfo: string): number | undefined {
  const match = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo);
  return match ? Number(match[1]) * 1024 : undefined;
}

/** The first processor's name in /proc/cpuinfo; "" where the architecture gives none (most ARM). */
export function parseCpuModel(cpuinfo: string): string {
  return /^(?:model name|Model|cpu model|Processor|cpu)\s*:\s*(.+?)\s*$/m.exec(cpuinfo)?.[1] ?? "";
}

/** The fully qualified name that an /etc/hosts file gives for a host name. */
export function parseFqdn(hosts: string, hostname: string): string | undefined {
  for (const line of hosts.split("\n")) {
    const [address, ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (!address || !names.includes(hostname)) continue;
    const full = names.find((name) => name.startsWith(`${hostname}.`));
    if (full) return full;
  }
  return undefined;
}

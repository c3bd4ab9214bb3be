import type { networkInterfaces } from "node:os";
import type { NetworkInterface } from "../../vocabulary/facts.js";

/** What the kernel says of an interface in /sys/class/net/NAME; "" for what it doesn't. */
export interface KernelInterface {
  readonly name: string;
  readonly address: string;
  readonly mtu: string;
  readonly operstate: string;
  /** Hexadecimal; bit 0: IFF_UP */
  readonly flags: string;
}

/** Interface to gateway of the default routes, from /proc/net/route; the one with the lowest metric of each. */
export function parseDefaultRoutes(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, { gateway: string; metric: number }>();
  for (const line of text.split("\n").slice(1)) {
    const [name, destination, gateway = "", flags = "", , , metric, mask] = line.trim().split(/\s+/);
    // RTF_UP and RTF_GATEWAY
    if (!name || destination !== "00000000" || mask !== "00000000" || (Number.parseInt(flags, 16) & 3) !== 3)
      continue;
    const known = found.get(name);
    if (known && known.metric <= Number(metric)) continue;
    const bytes = [...Buffer.from(gateway, "hex")].reverse();
    found.set(name, { gateway: bytes.join("."), metric: Number(metric) });
  }
  return new Map([...found].map(([name, { gateway }]) => [name, gateway]));
}

/** Every interface that the kernel or Node knows, those without an address too. */
export function joinInterfaces(
  kernel: readonly KernelInterface[],
  node: ReturnType<typeof networkInterfaces>,
  gateways: ReadonlyMap<string, string>,
): NetworkInterface[] {
  const names = new Set([...kernel.map(({ name }) => name), ...Object.keys(node)]);
  return [...names].sort().map((name) => {
    const known = kernel.find((one) => one.name === name);
    const addresses = node[name] ?? [];
    const mac = known?.address || addresses[0]?.mac;
    const flags = Number.parseInt(known?.flags ?? "", 16);
    return {
      name,
      // "unknown" is what loopback and tunnels say.
      up: known ? (flags & 1) === 1 && known.operstate !== "down" : addresses.length > 0,
      mac: mac && !/^(00:?)+$/.test(mac) ? mac : null,
      mtu: known?.mtu ? Number(known.mtu) : null,
      gateway: gateways.get(name) ?? null,
      addresses: addresses.map(({ family, address, cidr }) => ({
        // A number in Node 18.0 to 18.3.
        family: String(family).endsWith("6") ? ("IPv6" as const) : ("IPv4" as const),
        address,
        prefix: Number(cidr?.split("/")[1] ?? 0),
      })),
    };
  });
}

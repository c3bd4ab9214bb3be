import { existsSync, readdirSync, readFileSync } from "node:fs";
import os from "node:os";
import { customFacts } from "../facts/custom.js";
import { joinInterfaces, parseDefaultRoutes } from "../facts/interfaces.js";
import { hasSize, parseDf, parseMountProgram, parseMounts, withSizes } from "../facts/mounts.js";
import type { Gatherers } from "../facts/role-facts.js";
import { detectVirtualization } from "../facts/virtualization.js";

/*
 * The part "facts": what is gathered only when a role asks for it. Parsers of TOML and YAML are parts of their own, for
 * the hosts that have such a fact.
 */

const read = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
};

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

export const mounts: Gatherers["mounts"] = async ({ exec }) => {
  const table = read("/proc/self/mounts");
  const places = table
    ? parseMounts(table)
    : parseMountProgram((await exec("mount", [], { accept: "any" })).stdout);
  const paths = places.filter(hasSize).map(({ path }) => path);
  // Its status tells that one of them is not for this user; the others are there all the same.
  const df = paths.length > 0 ? await exec("df", ["-kP", ...paths], { accept: "any" }) : { stdout: "" };
  return withSizes(places, parseDf(df.stdout));
};

export const interfaces: Gatherers["interfaces"] = async () => {
  const kernel = list("/sys/class/net")
    .filter((name) => existsSync(`/sys/class/net/${name}/flags`))
    .map((name) => {
      const say = (what: string) => read(`/sys/class/net/${name}/${what}`).trim();
      return {
        name,
        address: say("address"),
        mtu: say("mtu"),
        operstate: say("operstate"),
        flags: say("flags"),
      };
    });
  return joinInterfaces(kernel, os.networkInterfaces(), parseDefaultRoutes(read("/proc/net/route")));
};

export const virtualization: Gatherers["virtualization"] = async () => {
  const environment = read("/proc/1/environ");
  return detectVirtualization({
    exists: existsSync,
    container: read("/run/systemd/container") || (/(?:^|\0)container=([^\0]*)/.exec(environment)?.[1] ?? ""),
    cgroup: read("/proc/1/cgroup"),
    kernel: read("/proc/sys/kernel/osrelease"),
    cpuinfo: read("/proc/cpuinfo"),
    dmi: ["sys_vendor", "product_name", "bios_vendor", "board_vendor"]
      .map((name) => read(`/sys/class/dmi/id/${name}`))
      .join("\n"),
    hypervisor: read("/sys/hypervisor/type"),
  });
};

export const custom: Gatherers["custom"] = (tools) => customFacts(tools);

import type { PackageProvider } from "./provider.js";
import { rows } from "./provider.js";

const QUIET = {
  env: { DEBIAN_FRONTEND: "noninteractive", APT_LISTCHANGES_FRONTEND: "none", NEEDRESTART_MODE: "l" },
};

/** Keeps configuration files that were edited, and waits for another run of apt to end. */
const CONSIDERATE = [
  "-y",
  "-q",
  "-o",
  "Dpkg::Options::=--force-confdef",
  "-o",
  "Dpkg::Options::=--force-confold",
  "-o",
  "DPkg::Lock::Timeout=120",
];

// biome-ignore lint/suspicious/noTemplateCurlyInString: it is dpkg's, not ours
const FORMAT = "-f=${Package}\\t${Architecture}\\t${Version}\\t${db:Status-Status}\\n";

export const apt: PackageProvider = {
  name: "apt",
  suits: ({ packageManager }) => packageManager === "apt",
  async installed(context, names) {
    const { stdout } = await context.exec("dpkg-query", ["-W", FORMAT, ...names], { accept: [0, 1] });
    const found = new Map<string, string>();
    for (const [name = "", architecture, version = "", status] of rows(stdout, "\t")) {
      if (status !== "installed") continue;
      for (const form of [name, `${name}:${architecture}`])
        if (names.includes(form) && !found.has(form)) found.set(form, version);
    }
    return found;
  },
  async offered(context, names) {
    const { stdout } = await context.exec("apt-cache", ["policy", ...names]);
    const found = new Map<string, string>();
    let name = "";
    for (const line of stdout.split("\n")) {
      if (/^\S.*:$/.test(line)) name = line.slice(0, -1);
      const candidate = /^ {2}Candidate: (.+)$/.exec(line)?.[1];
      if (candidate !== undefined && candidate !== "(none)") found.set(name, candidate);
    }
    return found;
  },
  async choices(context, name) {
    const { stdout } = await context.exec("apt-cache", ["madison", name]);
    return rows(stdout, /\s*\|\s*/).map(([, version = ""]) => version);
  },
  async refresh(context) {
    await context.exec("apt-get", ["update", "-q", "-o", "DPkg::Lock::Timeout=120"], QUIET);
  },
  async install(context, packages) {
    const specs = packages.map(({ name, version }) => (version === undefined ? name : `${name}=${version}`));
    const down = packages.some(({ version }) => version !== undefined) ? ["--allow-downgrades"] : [];
    await context.exec("apt-get", ["install", ...CONSIDERATE, ...down, ...specs], QUIET);
  },
  async remove(context, names) {
    await context.exec("apt-get", ["remove", ...CONSIDERATE, ...names], QUIET);
  },
};

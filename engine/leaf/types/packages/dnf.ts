import type { TypeContext } from "../../../vocabulary/types.js";
import type { PackageProvider, Versions } from "./provider.js";
import { rows } from "./provider.js";
import { rpmInstalled, withoutEpoch } from "./rpm.js";
import { compareVersions } from "./versions.js";

const FORMAT = "%{name}|%{epoch}:%{version}-%{release}|%{arch}\\n";

export const dnf: PackageProvider = {
  name: "dnf",
  suits: ({ packageManager }) => packageManager === "dnf",
  installed: rpmInstalled,
  async offered(context, names, installed) {
    const found = new Map<string, string>();
    for (const [name, versions] of await query(context, names)) found.set(name, versions[0]!);
    return newest(found, installed);
  },
  choices: async (context, name) => (await query(context, [name])).get(name) ?? [],
  async refresh(context) {
    // Without --refresh it keeps what is less than two days old.
    await context.exec("dnf", ["-y", "-q", "--refresh", "makecache"]);
  },
  async install(context, packages) {
    const specs = packages.map(({ name, version }) => (version === undefined ? name : `${name}-${version}`));
    await context.exec("dnf", ["install", "-y", "-q", ...specs]);
  },
  async remove(context, names) {
    await context.exec("dnf", ["remove", "-y", "-q", ...names]);
  },
};

/** All versions in the repositories, the newest first. */
async function query(context: TypeContext, names: readonly string[]): Promise<Map<string, string[]>> {
  const ask = async (args: readonly string[]) =>
    rows((await context.exec("dnf", ["repoquery", "-q", "--qf", FORMAT, ...args])).stdout, "|");
  const found = new Map<string, string[]>();
  const add = (name: string, version: string) => {
    const versions = found.get(name) ?? [];
    if (!versions.includes(version)) versions.push(version);
    found.set(name, versions);
  };
  for (const [name = "", version = "", architecture] of await ask(names))
    for (const form of [name, `${name}.${architecture}`])
      if (names.includes(form)) add(form, withoutEpoch(version));
  for (const name of names) {
    if (found.has(name)) continue;
    for (const [, version = ""] of await ask(["--whatprovides", name])) add(name, withoutEpoch(version));
  }
  for (const versions of found.values()) versions.sort((a, b) => compareVersions(b, a));
  return found;
}

/** What is installed stays where the repositories have nothing newer. */
export function newest(offered: Versions, installed: Versions): Versions {
  return new Map(
    [...offered].map(([name, version]) => {
      const now = installed.get(name);
      return [name, now !== undefined && compareVersions(now, version) >= 0 ? now : version];
    }),
  );
}

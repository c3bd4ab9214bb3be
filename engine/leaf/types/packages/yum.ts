import type { TypeContext } from "../../../vocabulary/types.js";
import { newest } from "./dnf.js";
import type { PackageProvider } from "./provider.js";
import { rows } from "./provider.js";
import { rpmInstalled, withoutEpoch } from "./rpm.js";
import { compareVersions } from "./versions.js";

/** yum 3, of CentOS 7 and before; later ones are dnf by another name. */
export const yum: PackageProvider = {
  name: "yum",
  suits: ({ packageManager }) => packageManager === "yum",
  installed: rpmInstalled,
  async offered(context, names, installed) {
    const all = await list(context, names);
    const found = new Map([...all].map(([name, versions]) => [name, versions[0]!]));
    // `list available` leaves out what is installed already.
    for (const [name, version] of installed) if (!found.has(name)) found.set(name, version);
    return newest(found, installed);
  },
  choices: async (context, name) => (await list(context, [name])).get(name) ?? [],
  async refresh(context) {
    await context.exec("yum", ["-y", "-q", "makecache"]);
  },
  async install(context, packages) {
    const exact = packages.filter(({ version }) => version !== undefined);
    const specs = packages.map(({ name, version }) => (version === undefined ? name : `${name}-${version}`));
    await context.exec("yum", ["install", "-y", "-q", ...specs]);
    // yum's `install` does not go back to an older version, and says nothing.
    if (exact.length === 0) return;
    const now = await rpmInstalled(
      context,
      exact.map(({ name }) => name),
    );
    const newer = exact.filter(({ name, version }) => compareVersions(now.get(name) ?? "", version!) > 0);
    if (newer.length > 0)
      await context.exec("yum", [
        "downgrade",
        "-y",
        "-q",
        ...newer.map(({ name, version }) => `${name}-${version}`),
      ]);
  },
  async remove(context, names) {
    await context.exec("yum", ["remove", "-y", "-q", ...names]);
  },
};

/** Every version that can be had, the newest first. */
async function list(context: TypeContext, names: readonly string[]): Promise<Map<string, string[]>> {
  const { stdout } = await context.exec("yum", ["-q", "--showduplicates", "list", "available", ...names], {
    accept: [0, 1],
  });
  const found = new Map<string, string[]>();
  // Long rows are wrapped.
  for (const [full = "", version] of rows(stdout.replace(/\n[ \t]+/g, " "), /\s+/)) {
    const [, name = "", architecture] = /^(.+)\.([^.]+)$/.exec(full) ?? [];
    if (version === undefined) continue;
    for (const form of [name, `${name}.${architecture}`])
      if (names.includes(form)) found.set(form, [...(found.get(form) ?? []), withoutEpoch(version)]);
  }
  for (const versions of found.values()) versions.sort((a, b) => compareVersions(b, a));
  return found;
}

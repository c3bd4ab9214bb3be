import type { TypeContext } from "../../../vocabulary/types.js";
import { Refusal } from "../../errors.js";
import type { Fate, PackageProvider, Versions, Wanted } from "./provider.js";
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
    await context.exec("dnf", ["install", "-y", "-q", ...specsOf(packages)]);
  },
  async remove(context, names) {
    await context.exec("dnf", ["remove", "-y", "-q", ...names]);
  },
  async rehearse(context, task) {
    const what = "install" in task ? ["install", ...specsOf(task.install)] : ["remove", ...task.remove];
    // Status 1 for the "no" as well as for a failure
    const { rc, stdout, stderr } = await context.exec("dnf", ["--assumeno", ...what], { accept: "any" });
    if (rc === 0 || /Operation aborted/.test(stdout + stderr)) return fatesOf(stdout);
    const why = /^\s+- (.+)$/m.exec(stderr)?.[1] ?? stderr.trim().split("\n").pop() ?? "";
    throw new Refusal(`dnf would refuse it: ${why.trim()}`);
  },
};

const specsOf = (packages: readonly Wanted[]): string[] =>
  packages.map(({ name, version }) => (version === undefined ? name : `${name}-${version}`));

/** A table with sections: "Installing dependencies:", and below it " apple  noarch  2.0-1  updates  5.9 k". */
function fatesOf(text: string): Fate[] {
  const fates: Fate[] = [];
  let goes = false;
  // A name that is too long for its column has a line of its own.
  for (const line of text.replace(/^( \S+)\n +/gm, "$1 ").split("\n")) {
    const section = /^([A-Z][a-z ]+):$/.exec(line)?.[1];
    if (section !== undefined) goes = section.startsWith("Removing");
    const [, name, version = ""] = /^ (\S+) +\S+ +(\S+) +\S+ +[\d.]+ /.exec(line) ?? [];
    if (name === undefined) continue;
    const full = withoutEpoch(version);
    fates.push(goes ? { name, before: full } : { name, after: full });
  }
  return fates;
}

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

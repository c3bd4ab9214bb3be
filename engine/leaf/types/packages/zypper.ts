import type { TypeContext } from "../../../vocabulary/types.js";
import { Refusal } from "../../errors.js";
import { newest } from "./dnf.js";
import type { Fate, PackageProvider, Wanted } from "./provider.js";
import { rpmInstalled } from "./rpm.js";
import { compareVersions } from "./versions.js";

/** Done, though a reboot or a restart of zypper itself is called for. */
const DONE = [0, 102, 103];
const NOT_FOUND = 104;

export const zypper: PackageProvider = {
  name: "zypper",
  suits: ({ packageManager }) => packageManager === "zypper",
  installed: rpmInstalled,
  async offered(context, names, installed) {
    const all = await search(context, names);
    return newest(new Map([...all].map(([name, versions]) => [name, versions[0]!])), installed);
  },
  choices: async (context, name) => (await search(context, [name])).get(name) ?? [],
  async refresh(context) {
    await context.exec("zypper", ["-n", "-q", "refresh"]);
  },
  async install(context, packages) {
    await context.exec("zypper", ["-n", "-q", ...installation(packages)], { accept: DONE });
  },
  async remove(context, names) {
    await context.exec("zypper", ["-n", "-q", "remove", ...names], { accept: DONE });
  },
  async rehearse(context, task) {
    const [command, ...rest] = "install" in task ? installation(task.install) : ["remove", ...task.remove];
    const args = ["-n", "-x", command!, "--dry-run", ...rest];
    const { rc, stdout } = await context.exec("zypper", args, { accept: "any" });
    if (DONE.includes(rc)) return fatesOf(stdout);
    const why = [...stdout.matchAll(/<description>([^<]*)<|<message type="error">([^<]*)</g)];
    const [, problem, error] = why[0] ?? [];
    const text = (problem ?? error ?? `status ${rc}`).trim().replace(/&(apos|quot);/g, "'");
    throw new Refusal(`zypper would refuse it: ${text}`);
  },
};

const installation = (packages: readonly Wanted[]): string[] => [
  ...["install", "--auto-agree-with-licenses"],
  ...(packages.some(({ version }) => version !== undefined) ? ["--oldpackage"] : []),
  ...packages.map(({ name, version }) => (version === undefined ? name : `${name}=${version}`)),
];

/** "<to-install><solvable type="package" name="pear" edition="1.5-1" edition-old=.../></to-install>" */
function fatesOf(text: string): Fate[] {
  const fates: Fate[] = [];
  for (const [, deed, list = ""] of text.matchAll(/<to-([a-z-]+)>(.*?)<\/to-\1>/gs))
    for (const [, attributes = ""] of list.matchAll(/<solvable\s([^>]*)>/g)) {
      const value = (name: string) => new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1];
      const [name, version] = [value("name") ?? "", value("edition")];
      fates.push(
        deed === "remove"
          ? { name, before: version }
          : { name, before: value("edition-old"), after: version },
      );
    }
  return fates;
}

/** Every version in the repositories, the newest first. */
async function search(context: TypeContext, names: readonly string[]): Promise<Map<string, string[]>> {
  const { stdout } = await context.exec(
    "zypper",
    ["-n", "-x", "search", "--details", "--match-exact", "--type", "package", ...names],
    { accept: [0, NOT_FOUND] },
  );
  const found = new Map<string, string[]>();
  for (const [, attributes = ""] of stdout.matchAll(/<solvable\s([^>]*)>/g)) {
    const value = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
    // What is installed and in no repository any more can't be had.
    if (value("repository") === "(System Packages)") continue;
    const [name, version] = [value("name"), value("edition")];
    const versions = found.get(name) ?? [];
    if (!versions.includes(version)) versions.push(version);
    found.set(name, versions);
  }
  for (const versions of found.values()) versions.sort((a, b) => compareVersions(b, a));
  return found;
}

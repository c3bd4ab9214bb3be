import { Refusal } from "../../errors.js";
import type { Fate, PackageProvider, Wanted } from "./provider.js";
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
    await context.exec("apt-get", ["install", ...CONSIDERATE, ...specsOf(packages)], QUIET);
  },
  async remove(context, names) {
    await context.exec("apt-get", ["remove", ...CONSIDERATE, ...names], QUIET);
  },
  async rehearse(context, task) {
    const what =
      "install" in task ? ["install", "-y", ...specsOf(task.install)] : ["remove", "-y", ...task.remove];
    const { rc, stdout, stderr } = await context.exec("apt-get", ["-s", "-q", ...what], { accept: "any" });
    if (rc !== 0) throw new Refusal(`apt would refuse it: ${reasonOf(stdout, stderr)}`);
    return fatesOf(stdout);
  },
};

const specsOf = (packages: readonly Wanted[]): string[] => [
  ...(packages.some(({ version }) => version !== undefined) ? ["--allow-downgrades"] : []),
  ...packages.map(({ name, version }) => (version === undefined ? name : `${name}=${version}`)),
];

/** "Inst pear [1.0] (1.5 trial [all])" for one that comes or is changed, "Remv pear [1.5]" for one that goes. */
function fatesOf(text: string): Fate[] {
  const fates: Fate[] = [];
  for (const [, name = "", before, after] of text.matchAll(/^Inst (\S+)(?: \[([^\]]+)\])? \((\S+)/gm))
    fates.push({ name, before, after });
  for (const [, name = "", before] of text.matchAll(/^Remv (\S+) \[([^\]]+)\]/gm))
    fates.push({ name, before });
  return fates;
}

/** What can't be had stands in a list, what is held in the last line. */
function reasonOf(stdout: string, stderr: string): string {
  const lines = stdout.split("\n");
  const needs = lines
    .filter((line) => /^ \S+ : |^ {2,}(Pre)?Depends: /.test(line))
    .map((line) => line.trim());
  if (needs.length > 0) return needs.join("; ");
  const held = lines.findIndex((line) => /held packages will be changed/.test(line));
  if (held >= 0)
    return `${lines[held + 1]?.trim().split(/\s+/).join(", ")} is held; \`apt-mark unhold\` gives it free`;
  return stderr.trim().split("\n").pop()?.replace(/^E: /, "") ?? "";
}

import { Refusal } from "../../errors.js";
import type { PackageProvider } from "./provider.js";
import { rows } from "./provider.js";

export const apk: PackageProvider = {
  name: "apk",
  suits: ({ packageManager }) => packageManager === "apk",
  async installed(context, names) {
    const { stdout } = await context.exec("apk", ["info", "-e", "-v", ...names], { accept: [0, 1] });
    return new Map(
      rows(stdout, "\n").flatMap(([line = ""]) => {
        const [, name, version] = /^(.+)-([^-]+-r\d+)$/.exec(line) ?? [];
        return name !== undefined && version !== undefined ? [[name, version] as const] : [];
      }),
    );
  },
  /** A rehearsal: which version of what would be put where, by apk's own rules. */
  async offered(context, names, installed) {
    const { rc, stdout, stderr } = await context.exec("apk", ["add", "--simulate", "--upgrade", ...names], {
      accept: "any",
    });
    const unknown = new Set(
      [...`${stdout}\n${stderr}`.matchAll(/^\s*(\S+) \(no such package\):?\s*$/gm)].map(([, name]) => name),
    );
    if (rc !== 0 && unknown.size === 0)
      throw new Refusal(
        `apk can't install ${names.join(", ")}: ${(stderr || stdout).trim().split("\n").pop()}`,
      );
    const known = names.filter((name) => !unknown.has(name));
    // One unknown name keeps apk from telling anything of the others.
    if (unknown.size > 0) return known.length > 0 ? apk.offered(context, known, installed, {}) : new Map();
    const found = new Map<string, string>(installed);
    for (const [, name = "", now = "", then] of stdout.matchAll(
      /^\(\d+\/\d+\) (?:Installing|Upgrading|Downgrading|Replacing|Reinstalling) (\S+) \((\S+)(?: -> (\S+))?\)/gm,
    ))
      if (names.includes(name)) found.set(name, then ?? now);
    return found;
  },
  async choices(context, name) {
    const { stdout } = await context.exec("apk", ["policy", name]);
    return [...stdout.matchAll(/^ {2}(\S+):$/gm)].map(([, version = ""]) => version).reverse();
  },
  async refresh(context) {
    await context.exec("apk", ["update", "-q"]);
  },
  async install(context, packages) {
    // A version that is named stays in /etc/apk/world, and holds the package back ever after.
    const specs = packages.map(({ name, version, pinned }) => (pinned ? `${name}=${version}` : name));
    const newer = packages.some(({ version, pinned }) => version !== undefined && !pinned)
      ? ["--upgrade"]
      : [];
    await context.exec("apk", ["add", "-q", ...newer, ...specs]);
  },
  async remove(context, names) {
    await context.exec("apk", ["del", "-q", ...names]);
  },
};

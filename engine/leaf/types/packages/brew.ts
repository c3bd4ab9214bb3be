import type { PackageProvider } from "./provider.js";
import { rows } from "./provider.js";

const CALM = { env: { HOMEBREW_NO_AUTO_UPDATE: "1", NONINTERACTIVE: "1", HOMEBREW_NO_COLOR: "1" } };

/** "tap/name" is listed as "name". */
const short = (name: string): string => name.split("/").pop() ?? name;

interface Info {
  readonly formulae: readonly {
    readonly name: string;
    readonly aliases?: readonly string[];
    readonly versions: { readonly stable: string };
    readonly revision: number;
  }[];
  readonly casks: readonly { readonly token: string; readonly version: string }[];
}

export const brew: PackageProvider = {
  name: "brew",
  suits: ({ packageManager }) => packageManager === "brew",
  async installed(context, names) {
    const { stdout } = await context.exec("brew", ["list", "--versions", ...names], {
      ...CALM,
      accept: [0, 1],
    });
    const versions = new Map(rows(stdout, " ").map(([name = "", ...all]) => [name, all.pop() ?? ""]));
    return new Map(
      names.filter((name) => versions.has(short(name))).map((name) => [name, versions.get(short(name))!]),
    );
  },
  async offered(context, names) {
    const found = new Map<string, string>();
    for (const name of names) {
      // One name that is not known fails them all.
      const { rc, stdout } = await context.exec("brew", ["info", "--json=v2", name], {
        ...CALM,
        accept: [0, 1],
      });
      if (rc !== 0) continue;
      const { formulae, casks } = JSON.parse(stdout) as Info;
      const [formula, cask] = [formulae[0], casks[0]];
      if (formula)
        found.set(name, formula.versions.stable + (formula.revision > 0 ? `_${formula.revision}` : ""));
      else if (cask) found.set(name, cask.version);
    }
    return found;
  },
  async refresh(context) {
    await context.exec("brew", ["update", "--quiet"], CALM);
  },
  /** `install` brings what is outdated up to date as well. */
  async install(context, packages) {
    await context.exec("brew", ["install", "--quiet", ...packages.map(({ name }) => name)], CALM);
  },
  async remove(context, names) {
    await context.exec("brew", ["uninstall", "--quiet", ...names], CALM);
  },
};

import type { PackageProvider } from "./provider.js";

const CALM = { env: { NO_UPDATE_NOTIFIER: "1", npm_config_fund: "false", npm_config_audit: "false" } };

/** Packages that `npm install --global` installs. */
export const npm: PackageProvider = {
  name: "npm",
  suits: () => false,
  async installed(context, names) {
    // Status 1 where some package of the host lacks what it depends on.
    const { stdout } = await context.exec("npm", ["ls", "--global", "--depth=0", "--json"], {
      ...CALM,
      accept: [0, 1],
    });
    const { dependencies = {} } = JSON.parse(stdout || "{}") as {
      dependencies?: Record<string, { version?: string }>;
    };
    return new Map(
      names.flatMap((name) => {
        const version = dependencies[name]?.version;
        return version === undefined ? [] : [[name, version] as const];
      }),
    );
  },
  async offered(context, names) {
    const found = new Map<string, string>();
    for (const name of names) {
      const { rc, stdout } = await context.exec("npm", ["view", name, "version", "--json"], {
        ...CALM,
        accept: [0, 1],
      });
      if (rc === 0) found.set(name, JSON.parse(stdout) as string);
    }
    return found;
  },
  async choices(context, name) {
    const { stdout } = await context.exec("npm", ["view", name, "versions", "--json"], CALM);
    const versions = JSON.parse(stdout) as string | string[];
    return (typeof versions === "string" ? [versions] : versions).reverse();
  },
  async install(context, packages) {
    const specs = packages.map(({ name, version }) => (version === undefined ? name : `${name}@${version}`));
    await context.exec("npm", ["install", "--global", ...specs], CALM);
  },
  async remove(context, names) {
    await context.exec("npm", ["uninstall", "--global", ...names], CALM);
  },
};

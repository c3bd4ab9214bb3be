import path from "node:path";
import type { PackageOptions } from "../../../vocabulary/resources.js";
import type { TypeContext } from "../../../vocabulary/types.js";
import { Refusal } from "../../errors.js";
import type { PackageProvider } from "./provider.js";

const CALM = { env: { PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_NO_INPUT: "1", PIP_NO_COLOR: "1" } };

/** PEP 668: what the distribution says that pip shall leave alone. */
const MANAGED =
  'import os,sys,sysconfig;print(sys.prefix==sys.base_prefix and os.path.exists(os.path.join(sysconfig.get_path("stdlib"),"EXTERNALLY-MANAGED")))';

const python = ({ virtualenv }: PackageOptions): string =>
  virtualenv === undefined ? "python3" : path.join(virtualenv, "bin/python");
const pipRun = (
  context: TypeContext,
  options: PackageOptions,
  args: readonly string[],
  accept: readonly number[] = [0],
) => context.exec(python(options), ["-m", "pip", ...args], { ...CALM, accept });

/** PEP 503: "Foo.Bar" and "foo-bar" are one. */
const normal = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, "-");

export const pip: PackageProvider = {
  name: "pip",
  suits: () => false,
  async possible(context, options) {
    const { rc, stdout } = await context.exec(python(options), ["-c", MANAGED], { accept: "any" });
    if (rc === 127)
      throw new Refusal(
        options.virtualenv === undefined
          ? "there is no python3 on this host"
          : `${options.virtualenv} is no virtual environment; \`python3 -m venv\` makes one`,
      );
    if (stdout.trim() === "True")
      throw new Refusal(
        'the system\'s Python belongs to the distribution (PEP 668); name a virtual environment with the option "virtualenv"',
      );
  },
  async installed(context, names, options) {
    const { stdout } = await pipRun(context, options, ["list", "--format=json"]);
    const all = new Map(
      (JSON.parse(stdout) as { name: string; version: string }[]).map(({ name, version }) => [
        normal(name),
        version,
      ]),
    );
    return new Map(
      names.filter((name) => all.has(normal(name))).map((name) => [name, all.get(normal(name))!]),
    );
  },
  async offered(context, names, _installed, options) {
    const found = new Map<string, string>();
    for (const name of names) {
      const [newest] = await versions(context, name, options);
      if (newest !== undefined) found.set(name, newest);
    }
    return found;
  },
  choices: versions,
  async install(context, packages, options) {
    const specs = packages.map(({ name, version }) => (version === undefined ? name : `${name}==${version}`));
    await pipRun(context, options, ["install", "-q", ...specs]);
  },
  async remove(context, names, options) {
    await pipRun(context, options, ["uninstall", "-q", "-y", ...names]);
  },
};

/** Newest first. */
async function versions(context: TypeContext, name: string, options: PackageOptions): Promise<string[]> {
  const { stdout } = await pipRun(context, options, ["index", "versions", name], [0, 1]);
  return (/^Available versions: (.+)$/m.exec(stdout)?.[1] ?? "")
    .split(", ")
    .filter((version) => version !== "");
}

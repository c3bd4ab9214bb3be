import type { PackageOptions, Result } from "../../../vocabulary/resources.js";
import type { Plan, TypeContext } from "../../../vocabulary/types.js";
import { Refusal } from "../../errors.js";
import { rules } from "../../options.js";
import { NOTHING, type ResourceType } from "../../type.js";
import { apk } from "./apk.js";
import { apt } from "./apt.js";
import { brew } from "./brew.js";
import { dnf } from "./dnf.js";
import { npm } from "./npm.js";
import { pacman } from "./pacman.js";
import { pip } from "./pip.js";
import type { Fate, PackageProvider, Task, Versions, Wanted } from "./provider.js";
import { fits } from "./versions.js";
import { yum } from "./yum.js";
import { zypper } from "./zypper.js";

const KINDS = ["install", "upgrade", "version"] as const;

/** What shall become of one package. */
interface Deed extends Wanted {
  readonly kind: (typeof KINDS)[number];
  readonly before: string | undefined;
  /** For the diff: what is likely to be there afterwards */
  readonly after: string;
}

/** Packages that are installed, or not. */
export const packageType: ResourceType<PackageOptions, Result, PackageProvider> = {
  name: "package",
  options: {
    names: rules.list,
    version: rules.text,
    latest: rules.flag,
    absent: rules.flag,
    updateCache: rules.flag,
    virtualenv: rules.path,
  },
  providers: [apt, dnf, yum, zypper, pacman, apk, brew, npm, pip],
  async plan(context, name, options, provider) {
    const names = namesOf(name, options);
    mustFit(names, options, provider);
    const installed = await orUnknown(context, async () => {
      await provider.possible?.(context, options);
      return provider.installed(context, names, options);
    });
    if (options.absent) return planRemoval(context, names, installed, options, provider);
    const asked = names.filter((one) => {
      const version = installed.get(one);
      if (version === undefined || options.latest) return true;
      return options.version !== undefined && !fits(options.version, version);
    });
    if (asked.length === 0) return NOTHING;
    // To look at newer lists is no change of the host; but --check leaves even those alone.
    if (options.updateCache && !context.check) await provider.refresh?.(context);
    const deeds = await decide(context, asked, installed, options, provider);
    return deeds.length === 0 ? NOTHING : installation(context, deeds, options, provider);
  },
};

function namesOf(name: string, { names }: PackageOptions): readonly string[] {
  const all = [...new Set(names ?? [name])];
  if (all.length === 0) throw new Refusal('the list "names" is empty');
  for (const one of all) {
    if (/\s/.test(one.trim()))
      throw new Refusal(
        `"${one}" is no name of a package; several are given as a list: package(["nginx", "curl"])`,
      );
    if (!/^[A-Za-z0-9@_][^\s=<>~|;]*$/.test(one)) throw new Refusal(`"${one}" is no name of a package`);
  }
  return all;
}

function mustFit(names: readonly string[], options: PackageOptions, provider: PackageProvider): void {
  const { version, latest, absent } = options;
  for (const option of ["version", "latest"] as const)
    if (absent && options[option]) throw new Refusal(`it can't have both "${option}" and "absent"`);
  if (version !== undefined && latest) throw new Refusal('it can\'t have both "version" and "latest"');
  if (version === "") throw new Refusal('the option "version" is empty');
  if (version !== undefined && names.length > 1)
    throw new Refusal("one version can't be for several packages; give each its own resource");
  if (options.virtualenv !== undefined && provider.name !== "pip")
    throw new Refusal(`the option "virtualenv" is for the provider pip, not for ${provider.name}`);
}

/** Under --check the manager itself may be something that was only planned. */
async function orUnknown(context: TypeContext, look: () => Promise<Versions>): Promise<Versions> {
  try {
    return await look();
  } catch (error) {
    if (context.uncertain() && error instanceof Refusal) return new Map();
    throw error;
  }
}

async function decide(
  context: TypeContext,
  names: readonly string[],
  installed: Versions,
  options: PackageOptions,
  provider: PackageProvider,
): Promise<Deed[]> {
  const unsure = isUnsure(context, options);
  if (options.version !== undefined) {
    const one = names[0]!;
    const before = installed.get(one);
    const version = await chosen(context, one, installed, options.version, unsure, options, provider);
    return [
      {
        name: one,
        version,
        pinned: true,
        before,
        after: version,
        kind: before === undefined ? "install" : "version",
      },
    ];
  }
  const offered = await orUnknown(context, () => provider.offered(context, names, installed, options));
  const unknown = names.filter((one) => !offered.has(one) && !installed.has(one));
  if (unknown.length > 0 && !unsure)
    throw new Refusal(
      `${provider.name} knows no package ${listed(unknown)}${provider.refresh ? '; "updateCache: true" fetches its lists first' : ""}`,
    );
  return names.flatMap((one): Deed[] => {
    const before = installed.get(one);
    const newest = offered.get(one);
    if (before === undefined) {
      const exact = options.latest && newest !== undefined ? { version: newest } : {};
      return [{ name: one, ...exact, before, after: newest ?? "installed", kind: "install" }];
    }
    if (newest === undefined || newest === before) return [];
    return [{ name: one, version: newest, before, after: newest, kind: "upgrade" }];
  });
}

/** The full version that fits what was asked for. */
async function chosen(
  context: TypeContext,
  name: string,
  installed: Versions,
  version: string,
  unsure: boolean,
  options: PackageOptions,
  provider: PackageProvider,
): Promise<string> {
  const { choices } = provider;
  const all = await orUnknown(context, async () => {
    const found = choices
      ? await choices(context, name, options)
      : (await provider.offered(context, [name], new Map(), options)).values();
    return new Map([...found].map((one) => [one, one]));
  });
  const found = [...all.values()].find((one) => fits(version, one));
  if (found !== undefined) return found;
  if (unsure) return version;
  if (all.size === 0 && !installed.has(name))
    throw new Refusal(`${provider.name} knows no package "${name}"`);
  const there = [...all.values()].slice(0, 10).join(", ");
  throw new Refusal(
    `${provider.name} has no version "${version}" of ${name}, only ${there || "what is installed"}`,
  );
}

/** Under --check a repository may be there by then, or the lists newer. */
const isUnsure = (context: TypeContext, { updateCache = false }: PackageOptions): boolean =>
  context.uncertain() || (context.check && updateCache);

/** Lines of the diff for what comes or goes along; throws a Refusal where the manager would refuse all of it. */
async function rehearsed(
  context: TypeContext,
  task: Task,
  names: readonly string[],
  options: PackageOptions,
  provider: PackageProvider,
): Promise<string> {
  if (!provider.rehearse || context.uncertain()) return "";
  try {
    const fates = await provider.rehearse(context, task, options);
    // "nginx:amd64" was asked for, "nginx" is what apt calls it.
    const asked = new Set(names.map((name) => name.split(":")[0]));
    const along = fates.filter(({ name }) => !asked.has(name.split(":")[0]));
    if (along.length === 0 || !context.diff) return "";
    const open = along.filter(({ before }) => before === undefined).map(({ name }) => name);
    const now =
      open.length > 0 ? await provider.installed(context, open, options) : new Map<string, string>();
    const line = ({ name, before = now.get(name) ?? "none", after = "none" }: Fate) =>
      `${name}: ${before} -> ${after} (along with it)\n`;
    return along.map(line).sort().join("");
  } catch (error) {
    if (error instanceof Refusal && isUnsure(context, options)) return "";
    throw error;
  }
}

async function installation(
  context: TypeContext,
  deeds: readonly Deed[],
  options: PackageOptions,
  provider: PackageProvider,
): Promise<Plan> {
  const names = deeds.map(({ name }) => name);
  const along = await rehearsed(context, { install: deeds }, names, options, provider);
  return {
    actions: KINDS.filter((kind) => deeds.some((deed) => deed.kind === kind)),
    ...(context.diff
      ? {
          diff:
            deeds.map(({ name, before = "none", after }) => `${name}: ${before} -> ${after}\n`).join("") +
            along,
        }
      : {}),
    async apply() {
      await provider.install(context, deeds, options);
      const now = await provider.installed(context, names, options);
      const missed = deeds.filter(({ name, version, before }) => {
        const there = now.get(name);
        return there === undefined || (version !== undefined && there === before && !fits(version, there));
      });
      if (missed.length > 0)
        throw new Refusal(
          `${provider.name} went through, but did not do ${listed(missed.map(({ name }) => name))}`,
        );
      return KINDS.filter((kind) => deeds.some((deed) => deed.kind === kind));
    },
  };
}

async function planRemoval(
  context: TypeContext,
  names: readonly string[],
  installed: Versions,
  options: PackageOptions,
  provider: PackageProvider,
): Promise<Plan> {
  const doomed = names.filter((name) => installed.has(name));
  if (doomed.length === 0) return NOTHING;
  const along = await rehearsed(context, { remove: doomed }, doomed, options, provider);
  return {
    actions: ["remove"],
    ...(context.diff
      ? { diff: doomed.map((name) => `${name}: ${installed.get(name)} -> none\n`).join("") + along }
      : {}),
    async apply() {
      await provider.remove(context, doomed, options);
      const left = await provider.installed(context, doomed, options);
      if (left.size > 0)
        throw new Refusal(`${provider.name} went through, but ${listed([...left.keys()])} is still there`);
      return ["remove"];
    },
  };
}

const listed = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(", ");

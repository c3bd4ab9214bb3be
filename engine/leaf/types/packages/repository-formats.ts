import type { Facts } from "../../../vocabulary/facts.js";
import type { RepositoryOptions } from "../../../vocabulary/resources.js";
import type { Provider } from "../../../vocabulary/types.js";
import { Refusal } from "../../errors.js";

export interface RepositoryProvider extends Provider {
  /** Options that mean nothing to it */
  readonly alien: readonly (keyof RepositoryOptions)[];
  /** It reads keys without armour too */
  readonly bareKeys: boolean;
  file(name: string): string;
  keyFile(name: string, armoured: boolean): string;
  text(name: string, options: RepositoryOptions, key: string | undefined, facts: Facts): string;
  /** The command that fetches the lists of this one alone */
  refresh(name: string, file: string): readonly string[];
  /** What went wrong though the command says that it did not */
  problem(output: string): string | undefined;
}

/** deb822, which apt reads since 1.1. */
export const aptSource: RepositoryProvider = {
  name: "apt",
  suits: ({ packageManager }) => packageManager === "apt",
  alien: ["description"],
  bareKeys: true,
  file: (name) => `/etc/apt/sources.list.d/${name}.sources`,
  keyFile: (name, armoured) => `/etc/apt/keyrings/${name}.${armoured ? "asc" : "gpg"}`,
  text(_name, options, key, facts) {
    const suites = options.suites ?? [facts.distribution.codename];
    if (suites.length === 0 || suites.includes(""))
      throw new Refusal('the host\'s release has no code name; name one with the option "suites"');
    const flat = suites.every((suite) => suite.endsWith("/"));
    if (!flat && suites.some((suite) => suite.endsWith("/")))
      throw new Refusal("suites with and without a path can't stand together; give each its own repository");
    if (flat && options.components) throw new Refusal('a suite that ends with "/" has no components');
    return fields({
      Types: "deb",
      URIs: options.url,
      Suites: suites.join(" "),
      Components: flat ? undefined : (options.components ?? ["main"]).join(" "),
      Architectures: options.architectures?.join(" "),
      "Signed-By": key,
      Trusted: options.unsigned ? "yes" : undefined,
      Enabled: options.enabled === false ? "no" : undefined,
    });
  },
  refresh: (_name, file) => [
    "apt-get",
    "update",
    "-q",
    "-o",
    `Dir::Etc::sourcelist=${file}`,
    "-o",
    "Dir::Etc::sourceparts=-",
    "-o",
    "APT::Get::List-Cleanup=0",
    "-o",
    "DPkg::Lock::Timeout=120",
  ],
  // apt keeps old lists when new ones can't be had, and calls that a success.
  problem: (output) => /^[WE]: ((?:Failed to fetch|GPG error|The repository).*)$/m.exec(output)?.[1],
};

const fields = (values: Readonly<Record<string, string | undefined>>): string =>
  Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join("");

/** An ini file, as dnf and yum read it. */
export const yumRepo = (manager: "dnf" | "yum"): RepositoryProvider => ({
  name: manager,
  suits: ({ packageManager }) => packageManager === manager,
  alien: ["suites", "components", "architectures"],
  bareKeys: false,
  file: (name) => `/etc/yum.repos.d/${name}.repo`,
  keyFile: (name) => `/etc/pki/rpm-gpg/RPM-GPG-KEY-${name}`,
  text(name, { url, description, enabled, unsigned }, key) {
    const values = {
      name: description ?? name,
      baseurl: url,
      enabled: enabled === false ? 0 : 1,
      gpgcheck: unsigned ? 0 : 1,
      gpgkey: key === undefined ? undefined : `file://${key}`,
    };
    const lines = Object.entries(values).filter(([, value]) => value !== undefined);
    return `[${name}]\n${lines.map(([key, value]) => `${key}=${value}\n`).join("")}`;
  },
  refresh: (name) =>
    manager === "dnf"
      ? ["dnf", "-y", "-q", `--repo=${name}`, "--refresh", "makecache"]
      : ["yum", "-y", "-q", "--disablerepo=*", `--enablerepo=${name}`, "makecache"],
  problem: () => undefined,
});

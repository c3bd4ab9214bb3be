import type { CommonOptions, ProviderOptions, Result } from "./common.js";

export interface PackageOptions extends CommonOptions, ProviderOptions {
  /** The packages, where the name is a label only; a list in the place of the name is the same */
  names?: readonly string[];
  /**
   * Exactly this version, with or without its release ("1.24.0" or "1.24.0-1"); `*` stands for any text ("1.24*"). Up
   * or down. The managers pacman and brew have one version of each package only
   */
  version?: string;
  /** Brings it to the newest version that the package lists know. Default false: any version will do */
  latest?: boolean;
  /** They are removed */
  absent?: boolean;
  /**
   * Fetches the package lists first, where they are needed: for what is to be installed, and for `latest`. No change by
   * itself. Under --check the lists are left as they are, and what they don't know yet can't be foreseen
   */
  updateCache?: boolean;
  /** pip only: the virtual environment to install in (a folder that `python3 -m venv` made). Default: the system's */
  virtualenv?: string;
}

export interface RepositoryOptions extends CommonOptions, ProviderOptions {
  /** Where it is: apt's URI, dnf's baseurl. Required unless absent */
  url?: string;
  /** apt only: suites. Default: the code name of the host's release. One that ends with "/" is a path, without components */
  suites?: readonly string[];
  /** apt only. Default ["main"] */
  components?: readonly string[];
  /** apt only: ["amd64"]. Default: the host's */
  architectures?: readonly string[];
  /** dnf only: its title. Default: its name */
  description?: string;
  /** The signing key itself, with its armour ("-----BEGIN PGP PUBLIC KEY BLOCK-----"); at most one of key, keySource, keyUrl */
  key?: string;
  /** The signing key in a file beside the policy, with or without armour */
  keySource?: string;
  /** The signing key's address (http, https or file); fetched where the host has no key with that checksum */
  keyUrl?: string;
  /** SHA-256 of what lies at `keyUrl`, in hex; required with it */
  keyChecksum?: string;
  /** Takes its packages without any signature. Default false */
  unsigned?: boolean;
  /** false: it is there, but not used. Default true */
  enabled?: boolean;
  /** It is removed, with its key */
  absent?: boolean;
}

export interface PackageFunctions {
  /**
   * Packages of the host's package manager, installed or removed: one, or a list in one transaction. Providers: apt,
   * dnf, yum, zypper, pacman, apk, brew; npm (global packages) and pip where they are named. `package` is a reserved
   * word: `main({ package: pkg })` gives it another name.
   *
   * apt, dnf, zypper and pacman work a transaction out before it is done: what they would refuse (what is held, what needs
   * something that can't be had) fails the check too, and what would come or go along stands in the diff.
   *
   * @example
   * await pkg("nginx");
   * await pkg(["nginx", "curl"], { latest: true, updateCache: true });
   * await pkg("nginx", { version: "1.24*" });
   * await pkg("telnetd", { absent: true });
   * await pkg("requests", { provider: "pip", virtualenv: "/srv/shop/venv" });
   */
  package(name: string | readonly string[], options?: PackageOptions): Promise<Result>;
  /**
   * A repository of packages with its signing key. Its lists are fetched as soon as it is added; when that fails, it is
   * taken away again; a check does not fetch them. Providers: apt (`/etc/apt/sources.list.d/NAME.sources`, key in `/etc/apt/keyrings`), dnf and yum
   * (`/etc/yum.repos.d/NAME.repo`, key in `/etc/pki/rpm-gpg`).
   *
   * @example
   * await repository("shop", { url: "https://packages.example.com/debian", keySource: "keys/shop.asc" });
   * await repository("old-shop", { absent: true });
   */
  repository(name: string, options?: RepositoryOptions): Promise<Result>;
}

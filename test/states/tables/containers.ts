import type { StateTable } from "../state.js";
import { CRON_TABLE } from "./cron.js";
import { HOSTNAME_TABLE } from "./hostname.js";
import { MODULE_TABLE } from "./kernel-module.js";
import { MOUNT_TABLE } from "./mount.js";
import { APT_TABLE, DNF_TABLE, NPM_TABLE, PACMAN_TABLE, PIP_TABLE, ZYPPER_TABLE } from "./packages.js";
import { APT_REPOSITORIES, DNF_REPOSITORIES } from "./repositories.js";
import { OPENRC_TABLE, SYSTEMD_TABLE, SYSVINIT_TABLE } from "./services.js";
import { SYSCTL_TABLE } from "./sysctl.js";

/** What is played on hosts of its own, by what it is called there. */
export const TABLES: Readonly<Record<string, StateTable>> = {
  cron: CRON_TABLE,
  sysctl: SYSCTL_TABLE,
  hostname: HOSTNAME_TABLE,
  mount: MOUNT_TABLE,
  kernelModule: MODULE_TABLE,
  systemd: SYSTEMD_TABLE,
  openrc: OPENRC_TABLE,
  sysvinit: SYSVINIT_TABLE,
  apt: APT_TABLE,
  "apt-repository": APT_REPOSITORIES,
  "dnf-repository": DNF_REPOSITORIES,
  dnf: DNF_TABLE,
  zypper: ZYPPER_TABLE,
  pacman: PACMAN_TABLE,
  pip: PIP_TABLE,
  npm: NPM_TABLE,
};

/** Tables that share a host, and whether systemd is its first process. */
export const HOSTS: readonly (readonly [systemd: boolean, tables: readonly string[]])[] = [
  [true, ["systemd", "cron", "sysctl", "hostname", "mount", "kernelModule"]],
  [false, ["apt", "apt-repository", "npm", "openrc", "sysvinit"]],
  [false, ["pacman", "dnf", "zypper", "dnf-repository", "pip"]],
];

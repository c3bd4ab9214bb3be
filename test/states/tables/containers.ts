import type { StateTable } from "../state.js";
import { OPENRC_TABLE, SYSTEMD_TABLE, SYSVINIT_TABLE } from "./services.js";
import { CRON_TABLE, HOSTNAME_TABLE, MODULE_TABLE, MOUNT_TABLE, SYSCTL_TABLE } from "./system.js";

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
};

import type { CommonOptions, ProviderOptions, Result } from "./common.js";

export interface CronOptions extends CommonOptions {
  /** What cron runs, one line; required unless absent. cron takes `%` for a line break, `\%` for itself */
  command?: string;
  /** Five fields ("0 3 * * 1-5") or one of cron's words ("@daily", "@reboot"); instead of the single fields */
  schedule?: string;
  /** 0 to 59. Default "*", as for the other fields */
  minute?: string | number;
  /** 0 to 23 */
  hour?: string | number;
  /** Day of the month, 1 to 31 */
  day?: string | number;
  /** 1 to 12, or "jan" */
  month?: string | number;
  /** 0 (Sunday) to 7, or "mon" */
  weekday?: string | number;
  /** Whose crontab, or as whom a job of `file` runs. Default: the user that the role runs as, and root in a `file` */
  user?: string;
  /** A file of jobs with users ("/etc/cron.d/shop") instead of a user's crontab */
  file?: string;
  /** There is no such job */
  absent?: boolean;
}

export interface SysctlOptions extends CommonOptions {
  /** Required unless absent */
  value?: string | number;
  /** The file that sets it when the host starts. Default "/etc/sysctl.d/99-mop.conf" */
  file?: string;
  /** false: for the next start only, the running kernel is left as it is. Default true */
  live?: boolean;
  /** It is taken out of the file; the running kernel keeps its value */
  absent?: boolean;
}

export interface HostnameOptions extends CommonOptions, ProviderOptions {}

export interface MountOptions extends CommonOptions {
  /** "/dev/sdb1", "UUID=...", "server:/export", "tmpfs"; required for mounted and present */
  device?: string;
  /** "ext4", "nfs", "tmpfs"; required for mounted and present */
  type?: string;
  /** As in fstab: "noatime,nofail". Default "defaults" */
  options?: string;
  /**
   * mounted: in fstab, and mounted now. present: in fstab only. unmounted: not mounted now, fstab as it is. absent:
   * neither. Default "mounted"
   */
  state?: "mounted" | "present" | "unmounted" | "absent";
  /** fstab's fifth field. Default 0 */
  dump?: number;
  /** fstab's sixth field: order of the check at start, 0 for none. Default 0 */
  pass?: number;
}

export interface KernelModuleOptions extends CommonOptions {
  /** It is loaded, or not. Default true */
  loaded?: boolean;
  /** It is loaded when the host starts (`/etc/modules-load.d/NAME.conf`), or not. Default true */
  persistent?: boolean;
  /** Its parameters ("numdummies=2"), for each load to come (`/etc/modprobe.d/NAME.conf`). Default: as they are */
  parameters?: string;
  /** Not loaded, neither now nor when the host starts, and without parameters */
  absent?: boolean;
}

export interface SystemFunctions {
  /**
   * A job of cron. Its name stands above it in the crontab as a mark ("# mop: backup"), by which it is found again.
   *
   * @example
   * await cron("backup", { schedule: "15 3 * * *", command: "/usr/local/bin/backup", user: "postgres" });
   * await cron("reports", { hour: 6, minute: 0, command: "/srv/reports/run", file: "/etc/cron.d/reports" });
   * await cron("backup", { user: "postgres", absent: true });
   */
  cron(name: string, options: CronOptions): Promise<Result>;
  /**
   * A setting of the kernel, now and when the host starts.
   *
   * @example
   * await sysctl("net.ipv4.ip_forward", { value: 1 });
   */
  sysctl(name: string, options: SysctlOptions): Promise<Result>;
  /**
   * The host's name, now and when it starts. Providers: linux (`/etc/hostname`), macos.
   *
   * @example
   * await hostname("web1");
   */
  hostname(name: string, options?: HostnameOptions): Promise<Result>;
  /**
   * A file system at a folder, which must exist: in fstab, mounted, or not.
   *
   * @example
   * await mount("/srv/data", { device: "UUID=6f1c2a3e-0b1d-4c55-9a77-1f2e3d4c5b6a", type: "ext4", options: "noatime" });
   * await mount("/srv/old", { state: "absent" });
   */
  mount(path: string, options: MountOptions): Promise<Result>;
  /**
   * A module of the Linux kernel.
   *
   * @example
   * await kernelModule("br_netfilter");
   * await kernelModule("pcspkr", { absent: true });
   */
  kernelModule(name: string, options?: KernelModuleOptions): Promise<Result>;
}

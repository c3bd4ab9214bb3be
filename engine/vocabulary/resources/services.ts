import type { CommonOptions, ProviderOptions, Result } from "./common.js";

export interface ServiceOptions extends CommonOptions, ProviderOptions {
  /** It runs (true) or does not (false). Default: as it is */
  started?: boolean;
  /** It starts with the host, or does not. Default: as it is */
  enabled?: boolean;
  /** It is restarted, each time; one that does not run is started */
  restarted?: boolean;
  /** It reads its configuration anew, each time; one that does not run is left alone, unless `started` */
  reloaded?: boolean;
  /**
   * systemd only: nothing can start it (true), or unmasked again (false). Does not stop it. The mask's place is that of a
   * unit file in /etc/systemd/system, which must go before. Default: as it is
   */
  masked?: boolean;
  /** systemd only: has systemd read changed unit files first, where it has not read them yet */
  daemonReload?: boolean;
}

export interface ServiceFunctions {
  /**
   * A service: runs or not, starts with the host or not, restarted, reloaded. Providers: systemd, openrc, sysvinit,
   * launchd (the name is the label); brew where it is named. What systemd would refuse, and a reload that a script of
   * OpenRC does not have, fails the check too.
   *
   * @example
   * await service("nginx", { started: true, enabled: true });
   * await service("nginx", { restarted: true });
   * await service("shop", { daemonReload: true, restarted: true });
   * await service("telnetd", { started: false, enabled: false, masked: true });
   */
  service(name: string, options: ServiceOptions): Promise<Result>;
}

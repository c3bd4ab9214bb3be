import type { LeafLogOptions } from "../../engine/controller/run/leaf-log.js";
import { PLATFORMS } from "../../engine/controller/runtimes/platforms.js";
import type { NamedRuntimes } from "../../engine/controller/runtimes/supply.js";
import type { AuditOptions } from "../audit.js";
import type { ConnectionFlags } from "../options.js";
import { escapeLine } from "../output/escape.js";
import type { Defaults } from "./keys.js";
import { type DefaultsPlaces, readDefaults } from "./read-defaults.js";

/** What only defaults.toml can say. */
export interface DefaultFlags {
  /** A private key for hosts of which the inventory names none */
  readonly defaultIdentity?: string;
  readonly defaultPassword?: string;
  readonly defaultBecomePassword?: string;
  /** false: leaves keep no log */
  readonly log?: LeafLogOptions | false;
  /** false: no audit log is kept */
  readonly audit?: AuditOptions | false;
  /** Files with a Node, by platform */
  readonly runtimes?: NamedRuntimes;
}

/** A command's flags over the operator's defaults. */
export async function withDefaults<F extends Partial<ConnectionFlags>>(
  flags: F,
  note: (text: string) => void,
  places?: DefaultsPlaces,
): Promise<F & DefaultFlags> {
  return layOver(flags, await readDefaults((text) => note(escapeLine(text)), places));
}

function layOver<F extends Partial<ConnectionFlags>>(flags: F, defaults: Defaults): F & DefaultFlags {
  const { identity, password, becomePassword, log, logEnabled, audit, auditEnabled, ...plain } = defaults;
  const runtimes = Object.fromEntries(
    PLATFORMS.flatMap((platform) => {
      const file = defaults[`runtime ${platform}`];
      return file === undefined ? [] : [[platform, file]];
    }),
  );
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)) as F;
  return {
    ...plain,
    ...given,
    ...(Object.keys(runtimes).length > 0 ? { runtimes } : {}),
    ...(identity === undefined ? {} : { defaultIdentity: identity }),
    ...(password === undefined ? {} : { defaultPassword: password }),
    ...(becomePassword === undefined ? {} : { defaultBecomePassword: becomePassword }),
    ...(logEnabled === false ? { log: false } : log === undefined ? {} : { log: { path: log } }),
    ...(auditEnabled === false ? { audit: false } : audit === undefined ? {} : { audit: { path: audit } }),
  };
}

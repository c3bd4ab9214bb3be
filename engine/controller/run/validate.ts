import { namesOf } from "../route/next-way.js";
import { usualWay } from "../route/ways.js";
import type { RunOptions } from "./options.js";
import { prepareRun } from "./prepare.js";

/** What a policy would do where; nothing was contacted. */
export interface ValidationReport {
  /** The policy's file, absolute */
  readonly policy: string;
  /** What messages call the inventory */
  readonly inventory: string;
  /** In the order in which they would run; roles that no tag asks for are left out */
  readonly roles: readonly {
    readonly name: string;
    readonly hosts: readonly string[];
    /** Files that its hosts may ask for: sources, templates, what globs found */
    readonly files: readonly string[];
  }[];
  /** Every host of any role, by name, with the names of its route's hops */
  readonly routes: Readonly<Record<string, readonly string[]>>;
  readonly warnings: readonly string[];
}

/**
 * Everything that a push does before it contacts anything. Throws PolicyError with the first thing that is wrong:
 * a missing file, a wrong parameter or type, an unknown host or group, a route that leads nowhere.
 */
export async function validate(options: RunOptions): Promise<ValidationReport> {
  const warnings: string[] = [];
  const { loaded, targets, roles, hosts } = await prepareRun({
    ...options,
    onWarning(text) {
      warnings.push(text);
      options.onWarning?.(text);
    },
  });
  return {
    policy: loaded.file,
    inventory: targets.inventory.source,
    roles: roles.map(({ role, hosts: all }) => ({
      name: role.name,
      hosts: all.map((host) => host.name),
      files: role.files,
    })),
    routes: Object.fromEntries([...hosts].map(([name, { ways }]) => [name, namesOf(usualWay(ways))])),
    warnings,
  };
}

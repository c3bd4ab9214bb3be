/**
 * The words that a policy file imports from "mop": plain data with a mark, so that a policy may be loaded by another
 * copy of this module than the one that reads it. On a leaf a twin of this file stands in (engine/leaf/facade.ts).
 */

import type { RawInventory } from "./inventory.js";
import type { RoleContext } from "./resources.js";

export const MARK = "mop:kind";

export type Vars = Record<string, unknown>;

export interface RoleDefinition<V extends Vars = Vars> {
  /** Letters, digits, - and _; unique in a policy */
  name: string;
  /** Defaults; the role's entry, and what stands over it, replaces single values */
  vars?: V;
  /** Files that `main` names in ways that can't be read from its text: glob patterns relative to the policy */
  files?: readonly string[];
  /** Runs on the leaf */
  main(context: RoleContext<V>): Promise<void> | void;
}

export interface Role<V extends Vars = Vars> extends RoleDefinition<V> {
  readonly [MARK]: "role";
}

/** What hooks see of a host, on the controller. */
export interface PolicyHost {
  readonly name: string;
  readonly groups: readonly string[];
  readonly vars: Readonly<Vars>;
}

/** A host's part of a role, for `afterContact`. */
export interface HostResult {
  readonly status: "ok" | "failed" | "unreachable";
  readonly ok: number;
  readonly changed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly error?: string;
}

export interface RoleEntry<V extends Vars = Vars> {
  role: Role<V>;
  /** Patterns of group names; default: all hosts */
  groups?: readonly string[];
  /** Patterns of host names; with `groups`, both must fit */
  hosts?: readonly string[];
  vars?: Partial<V> & Vars;
  tags?: readonly string[];
  /** Hosts at once in this role. Default: all */
  serial?: number;
  become?: boolean | string;
  shouldContact?(host: PolicyHost): boolean | Promise<boolean>;
  /** Not called under --check, as `afterContact` */
  beforeContact?(host: PolicyHost): void | Promise<void>;
  afterContact?(host: PolicyHost, result: HostResult): void | Promise<void>;
}

export interface PolicyDefinition {
  inventory?: InventorySource;
  vars?: Vars;
  // biome-ignore lint/suspicious/noExplicitAny: each entry checks its own role's variables; the list holds any
  roles: readonly RoleEntry<any>[];
}

export interface Policy extends PolicyDefinition {
  readonly [MARK]: "policy";
}

export interface TomlInventory {
  readonly [MARK]: "toml-inventory";
  readonly path: string;
}

export type InventorySource = TomlInventory | RawInventory | (() => RawInventory | Promise<RawInventory>);

/** A role: what runs on a leaf. `main` and everything it imports travel there. */
export function defineRole<V extends Vars = Vars>(definition: RoleDefinition<V>): Role<V> {
  return { ...definition, [MARK]: "role" };
}

/** A policy: which roles go where. Stays on the controller. Must be the file's default export. */
export function definePolicy(definition: PolicyDefinition): Policy {
  return { ...definition, [MARK]: "policy" };
}

/** An inventory file; the path is relative to the policy file. */
export function tomlInventory(path: string): TomlInventory {
  return { [MARK]: "toml-inventory", path };
}

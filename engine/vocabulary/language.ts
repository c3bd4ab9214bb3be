/**
 * The words that a policy file imports from "mop": plain data with a mark, so that a policy may be loaded by another
 * copy of this module than the one that reads it. On a leaf a twin of this file stands in (engine/leaf/facade.ts).
 */

import type { FactDefinition, FactFunctions } from "./facts.js";
import type { RawInventory } from "./inventory.js";
import { MARK } from "./mark.js";
import type { RoleContext } from "./resources.js";
import type { ProviderDefinition, ResourceType, TypeFunctions } from "./types.js";

export { secret } from "./secret.js";
export { MARK };

export type Vars = Record<string, unknown>;

/** Types of one's own, by the names that `main` has them under. */
// biome-ignore lint/suspicious/noExplicitAny: each type checks its own options; the table holds any
export type OwnTypes = Readonly<Record<string, ResourceType<any, any, any, any>>>;

/** Facts of one's own, by the names that `main` has them under. */
export type OwnFacts = Readonly<Record<string, FactDefinition>>;

export interface RoleDefinition<
  V extends Vars = Vars,
  T extends OwnTypes = OwnTypes,
  F extends OwnFacts = OwnFacts,
> {
  /** Letters, digits, - and _; unique in a policy */
  name: string;
  /** Defaults; the role's entry, and what stands over it, replaces single values */
  vars?: V;
  /** Files that `main` names in ways that can't be read from its text: glob patterns relative to the policy */
  files?: readonly string[];
  /** Types of one's own (`defineType`): functions of the context, beside the built-in ones */
  types?: T;
  /** Other ways to do a type (`defineProvider`); they come before the built-in ones */
  providers?: readonly ProviderDefinition[];
  /** Facts of one's own (`defineFact`): functions of the context's `facts`, beside the built-in ones */
  facts?: F;
  /** Runs on the leaf */
  main(
    context: RoleContext<V> & TypeFunctions<T> & { readonly facts: FactFunctions<F> },
  ): Promise<void> | void;
}

export interface Role<V extends Vars = Vars, T extends OwnTypes = OwnTypes, F extends OwnFacts = OwnFacts>
  extends RoleDefinition<V, T, F> {
  readonly [MARK]: "role";
}

/** What hooks see of a host, on the controller. */
export interface PolicyHost {
  readonly name: string;
  readonly groups: readonly string[];
  readonly vars: Readonly<Vars>;
}

/** The run that a hook belongs to. */
export interface HookContext {
  /** Aborted by an interrupt, and by --timeout */
  readonly signal: AbortSignal;
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

/** So many, or a part of all: 3, "25%". */
export type Amount = number | `${number}%`;
export type Serial = Amount | readonly Amount[];

export interface RoleEntry<V extends Vars = Vars> {
  // biome-ignore lint/suspicious/noExplicitAny: what types a role brings is its own business
  role: Role<V, any, any>;
  /** Patterns of group names; default: all hosts */
  groups?: readonly string[];
  /** Patterns of host names; with `groups`, both must fit */
  hosts?: readonly string[];
  vars?: Partial<V> & Vars;
  tags?: readonly string[];
  /**
   * Hosts at once in this role: a number, a percentage of its hosts ("25%"), or a list of these, one a batch, the last
   * again and again. A batch starts when the one before is over everywhere. Default: all
   */
  serial?: Serial;
  /**
   * How many of the role's hosts may fail (or be unreachable) before no further batch and no later role starts; hosts
   * that failed are left out of what comes later. A number, or a percentage. Default: 0
   */
  maxFailures?: Amount;
  /** Only on the first of its hosts that can be reached */
  runOnce?: boolean;
  /** The host on which a host's part runs, with that host's variables and name: an inventory name, or how to find it */
  delegate?: string | ((host: PolicyHost) => string | undefined);
  /**
   * "free": neighbouring roles with it are gone through by each host at its own pace; else a role starts when the one
   * before is over on all hosts
   */
  strategy?: "free";
  become?: boolean | string;
  shouldContact?(host: PolicyHost): boolean | Promise<boolean>;
  /** Not called under --check, as `afterContact`. A hook that waits gives up when `signal` is aborted: the run is over */
  beforeContact?(host: PolicyHost, context: HookContext): void | Promise<void>;
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
export function defineRole<
  V extends Vars = Vars,
  T extends OwnTypes = Record<never, never>,
  F extends OwnFacts = Record<never, never>,
>(definition: RoleDefinition<V, T, F>): Role<V, T, F> {
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

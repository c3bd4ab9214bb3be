import type { Value } from "../../transport/types.js";
import type { Policy, Role, RoleEntry } from "../vocabulary/language.js";
import { plainObject, plainValue } from "./inventory/plain.js";
import { CONNECTION_VARS, SECRETS_VAR } from "./route/connection-vars.js";

export type PlainVars = Readonly<Record<string, Value>>;

/** Where a role's variables come from, weakest first; a template's local scope is the leaf's business. */
export interface VariableLayers {
  /** Groups and host, as the inventory resolved them */
  readonly host: PlainVars;
  readonly policy: PlainVars;
  readonly role: PlainVars;
  readonly entry: PlainVars;
  /** --extra-vars */
  readonly extra: PlainVars;
}

/** All layers as one; the last that has a name gives its whole value. */
export function mergeVariables(layers: VariableLayers): PlainVars {
  return { ...layers.host, ...layers.policy, ...layers.role, ...layers.entry, ...layers.extra };
}

/** What is the same on every host of a role: it travels once, in the plan. */
export function planVariables(layers: Omit<VariableLayers, "host" | "extra">): PlainVars {
  return withoutNames({ ...layers.policy, ...layers.role, ...layers.entry });
}

/** Which variables are secret is the controller's to know; hosts get their texts apart. */
export function withoutNames({ [SECRETS_VAR]: _, ...vars }: PlainVars): PlainVars {
  return vars;
}

/** What only this host has. Names that the plan or --extra-vars give are left out: they would win anyway. */
export function hostVariables(host: PlainVars, plan: PlainVars, extra: PlainVars): PlainVars {
  return Object.fromEntries(
    Object.entries(host).filter(([name]) => !Object.hasOwn(plan, name) && !Object.hasOwn(extra, name)),
  );
}

/** Connection variables, but for the address: roles have no use for them and hosts no business with passwords. */
const AT_HOME = new Set<string>([...CONNECTION_VARS.filter((name) => name !== "mop_host"), SECRETS_VAR]);

export function travellingHostVars(vars: Readonly<Record<string, unknown>>, where: string): PlainVars {
  const result: Record<string, Value> = {};
  for (const [name, value] of Object.entries(vars))
    if (!AT_HOME.has(name) && value !== undefined) result[name] = plainValue(value, `${where}: ${name}`);
  return result;
}

/** The policy's, role's and entry's variables, checked to be plain data. */
export function policyLayers(policy: Policy, entry: RoleEntry): Omit<VariableLayers, "host" | "extra"> {
  const role: Role = entry.role;
  return {
    policy: plainObject(policy.vars ?? {}, "the policy's vars"),
    role: plainObject(role.vars ?? {}, `role ${role.name}: vars`),
    entry: plainObject(entry.vars ?? {}, `role ${role.name}: vars of its entry`),
  };
}

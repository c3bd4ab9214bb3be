import type { Vars } from "../../vocabulary/language.js";
import type { RoleOrder, RolePlan } from "../../vocabulary/order.js";

/** A role's variables: the host's, over them the plan's (policy, role, entry), over them --extra-vars. */
export function roleVariables(
  order: Pick<RoleOrder, "vars">,
  plan: Pick<RolePlan, "vars" | "extraVars">,
): Vars {
  return { ...order.vars, ...plan.vars, ...plan.extraVars };
}

/** What a template sees: the role's variables, its own local scope over them, and --extra-vars over everything. */
export function templateVariables(role: Vars, local: Vars, extra: Vars): Vars {
  return { ...role, ...local, ...extra };
}

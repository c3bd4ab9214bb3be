import type { Become } from "../../../relay/boot/become.js";
import type { Hop } from "../../../relay/mesh/types.js";
import type { RoleEntry } from "../../vocabulary/language.js";
import { PolicyError } from "../policy-error.js";
import type { ConnectionVars } from "./connection-vars.js";

/** What the command line says of becoming another user, where inventory and policy are silent. */
export interface BecomeOptions {
  /** --become */
  readonly become?: boolean | undefined;
  readonly becomeUser?: string | undefined;
  readonly becomeMethod?: Become["method"] | undefined;
  /** --ask-become-pass */
  readonly becomePassword?: string | undefined;
}

/**
 * Whom to become on a host for a role (or a command, without one); undefined: nobody else. A role's `become` stands over
 * all: false, true, or the user. Else the inventory's mop_become or --become ask for it. `commanded` makes of
 * mop_become_password_command what gets the password.
 */
export function becomeOf(
  role: RoleEntry["become"],
  vars: ConnectionVars,
  options: BecomeOptions,
  commanded?: (command: string) => () => Promise<string>,
): Become | undefined {
  const asked = role ?? (options.become || vars.become);
  if (asked === undefined || asked === false || asked === "") return undefined;
  const user =
    (typeof role === "string" ? role : undefined) ?? vars.becomeUser ?? options.becomeUser ?? "root";
  if (!/^[^-\s'"\\!$`][^\s'"\\!$`]*$/.test(user))
    throw new PolicyError(`become: ${JSON.stringify(user)} is no user's name`);
  const { becomePasswordCommand: command } = vars;
  const password =
    vars.becomePassword ?? (command !== undefined && commanded ? commanded(command) : options.becomePassword);
  return {
    method: vars.becomeMethod ?? options.becomeMethod ?? "sudo",
    user,
    ...(password === undefined ? {} : { password }),
  };
}

/** The route with the last host's node running as that user; who is logged in as that user needs nothing. */
export function elevated(route: readonly Hop[], become: Become | undefined): readonly Hop[] {
  const last = route.at(-1);
  if (!become || !last || last.target.user === become.user) return route;
  return [...route.slice(0, -1), { ...last, become }];
}

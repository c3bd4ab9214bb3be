import type { RoleFacts } from "./facts.js";
import type { Vars } from "./language.js";
import type { HostView } from "./order.js";
import type { AccountFunctions } from "./resources/accounts.js";
import type { CommandFunctions } from "./resources/commands.js";
import type { FileFunctions } from "./resources/files.js";
import type { PackageFunctions } from "./resources/packages.js";
import type { ServiceFunctions } from "./resources/services.js";
import type { SystemFunctions } from "./resources/system.js";

export type * from "./resources/accounts.js";
export type * from "./resources/commands.js";
export type * from "./resources/common.js";
export type * from "./resources/files.js";
export type * from "./resources/packages.js";
export type * from "./resources/services.js";
export type * from "./resources/system.js";

/** The resource types that come with mop, as functions. */
export interface ResourceFunctions
  extends FileFunctions,
    CommandFunctions,
    AccountFunctions,
    PackageFunctions,
    ServiceFunctions,
    SystemFunctions {}

/** Everything that `main` is given, but for the role's own types. */
export interface RoleContext<V extends Vars = Vars> extends ResourceFunctions {
  readonly vars: Readonly<V & Vars>;
  /** What the host is: values, and functions for what is gathered only when it is asked for */
  readonly facts: RoleFacts;
  readonly host: HostView;
  /** Under --check */
  readonly check: boolean;
}

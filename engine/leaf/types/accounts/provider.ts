import type { Provider, TypeContext } from "../../../vocabulary/types.js";
import type { TypeContext as WingContext } from "../../type.js";
import type { Account, Group } from "./tables.js";

/** Something that is done to the host; steps are carried out in their order. */
export type Step = () => Promise<unknown>;

/** A program as a step. */
export const step =
  (
    context: Pick<TypeContext, "exec">,
    program: string,
    args: readonly (string | number)[],
    stdin?: string,
  ): Step =>
  () =>
    context.exec(program, args.map(String), stdin === undefined ? {} : { stdin });

export interface NewUser {
  readonly name: string;
  readonly uid?: number | undefined;
  /** undefined: a new group of the user's name */
  readonly group?: string | undefined;
  readonly groups: readonly string[];
  readonly home?: string | undefined;
  readonly createHome: boolean;
  readonly shell?: string | undefined;
  readonly comment?: string | undefined;
  readonly system: boolean;
  /** Days since 1970 */
  readonly expires?: number | undefined;
}

/** What becomes different; undefined stays as it is. */
export interface UserChange {
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly groups?: { readonly before: readonly string[]; readonly after: readonly string[] } | undefined;
  readonly home?: { readonly to: string; readonly move: boolean } | undefined;
  readonly shell?: string | undefined;
  readonly comment?: string | undefined;
  /** Days since 1970; null: never */
  readonly expires?: number | null | undefined;
}

/** A way to make, change and remove accounts. Passwords are the type's own business. */
export interface UserProvider extends Provider {
  create(context: WingContext, user: NewUser): readonly Step[];
  change(context: WingContext, now: Account, change: UserChange): readonly Step[];
  remove(context: WingContext, now: Account, home: boolean): readonly Step[];
}

export interface GroupChange {
  readonly gid?: number | undefined;
  readonly members?: readonly string[] | undefined;
}

export interface GroupProvider extends Provider {
  create(context: WingContext, name: string, gid: number | undefined, system: boolean): readonly Step[];
  change(context: WingContext, now: Group, change: GroupChange): readonly Step[];
  remove(context: WingContext, now: Group): readonly Step[];
}

/** Alpine and its kin have no useradd unless somebody installs it; busybox's own programs are there always. */
export const isBusybox = ({
  distribution,
}: {
  readonly distribution?: { readonly id: string; readonly like: readonly string[] };
}) => distribution !== undefined && [distribution.id, ...distribution.like].includes("alpine");

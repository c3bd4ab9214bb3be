import type { Result, UserOptions } from "../../vocabulary/resources.js";
import type { Rule } from "../../vocabulary/types.js";
import { Refusal } from "../errors.js";
import { PROVIDER_RULES, rules } from "../options.js";
import { NOTHING, type Plan, type ResourceType, type TypeContext } from "../type.js";
import { busyboxUsers } from "./accounts/busybox.js";
import {
  Accounts,
  GROUP,
  mustBeName,
  mustBeRoot,
  PASSWD,
  PlannedTables,
  SHADOW,
} from "./accounts/database.js";
import { mayRemoveHome } from "./accounts/home.js";
import { hiddenRule, mustBeHash } from "./accounts/password.js";
import type { UserProvider } from "./accounts/provider.js";
import { shadowUsers } from "./accounts/shadow-utils.js";
import { parseDay, withoutLine, withoutMember } from "./accounts/tables.js";
import { planChange } from "./accounts/user-change.js";
import { planCreate } from "./accounts/user-create.js";

const day: Rule = {
  expected: 'a day such as "2027-12-31", or "never"',
  test: (value) => value === "never" || (typeof value === "string" && parseDay(value) !== undefined),
};
const field: Rule = {
  expected: "a text of one line without a colon",
  test: (value) => typeof value === "string" && !/[:\n\0]/.test(value),
};
const folder: Rule = {
  expected: "an absolute path without a colon",
  test: (value) => typeof value === "string" && /^\/[^:\n\0]*$/.test(value),
};

/** A user account, or that there is none. */
export const user: ResourceType<UserOptions, Result, UserProvider> = {
  name: "user",
  options: {
    uid: rules.count,
    group: rules.account,
    groups: rules.list,
    append: rules.flag,
    home: folder,
    createHome: rules.flag,
    moveHome: rules.flag,
    shell: folder,
    comment: field,
    system: rules.flag,
    password: hiddenRule,
    keepPassword: rules.flag,
    locked: rules.flag,
    expires: day,
    absent: rules.flag,
    removeHome: rules.flag,
    ...PROVIDER_RULES,
  },
  providers: [busyboxUsers, shadowUsers],
  async plan(context, name, options, provider) {
    mustBeName("user", name);
    mustBeHash(options.password);
    mustFit(options);
    const accounts = await Accounts.read(context);
    const now = accounts.user(name);
    if (options.absent) return planAbsent(context, accounts, name, options.removeHome ?? false, provider);
    return now
      ? planChange(context, accounts, now, options, provider)
      : planCreate(context, accounts, name, options, provider);
  },
};

/** Throws a Refusal for options that contradict each other. */
function mustFit(options: UserOptions): void {
  const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== false);
  if (options.absent) {
    const other = given.map(([name]) => name).find((name) => name in user.options && !WITH_ABSENT.has(name));
    if (other !== undefined) throw new Refusal(`it can't have both "absent" and "${other}"`);
  } else if (options.removeHome) throw new Refusal('"removeHome" goes with "absent" only');
  if (options.append && options.groups === undefined)
    throw new Refusal('"append" needs "groups": what is to be added');
  if (options.moveHome && options.home === undefined)
    throw new Refusal('"moveHome" needs "home": where to move it');
  for (const group of options.groups ?? []) mustBeName("group", group);
}

const WITH_ABSENT: ReadonlySet<string> = new Set(["absent", "removeHome", "provider"]);

async function planAbsent(
  context: TypeContext,
  accounts: Accounts,
  name: string,
  removeHome: boolean,
  provider: UserProvider,
): Promise<Plan> {
  const now = accounts.user(name);
  if (!now) return NOTHING;
  if (now.uid === 0) throw new Refusal("an account with the id 0 is not removed");
  mustBeRoot();
  const home = removeHome ? (await context.files.resolve(now.home, false)).path : undefined;
  if (removeHome) await mayRemoveHome(context, accounts, now);
  const tables = await PlannedTables.read(context);
  // Its own group goes along where nobody else is in it.
  const group = accounts.group(name);
  const alone =
    group?.gid === now.gid &&
    group.members.every((member) => member === name) &&
    accounts.users.every((other) => other.name === name || other.gid !== now.gid);
  const diff = `user: ${name} -> none\n${removeHome ? `home: ${now.home} -> none\n` : ""}`;
  return {
    actions: ["remove"],
    ...(context.diff ? { diff } : {}),
    foresee() {
      tables.foresee(PASSWD, (text) => withoutLine(text, name));
      tables.foresee(SHADOW, (text) => withoutLine(text, name));
      tables.foresee(GROUP, (text) => withoutMember(alone ? withoutLine(text, name) : text, name));
      if (home !== undefined) context.files.foresee(home, undefined);
    },
    async apply() {
      for (const step of provider.remove(context, now, removeHome)) await step();
      return ["remove"];
    },
  };
}

import type { GroupOptions, Result } from "../../vocabulary/resources.js";
import { Refusal } from "../errors.js";
import { PROVIDER_RULES, rules } from "../options.js";
import { NOTHING, type Plan, type ResourceType, type TypeContext } from "../type.js";
import { busyboxGroups } from "./accounts/busybox.js";
import {
  Accounts,
  freeId,
  GROUP,
  mustBeName,
  mustBeRoot,
  PASSWD,
  PlannedTables,
} from "./accounts/database.js";
import type { GroupProvider } from "./accounts/provider.js";
import { shadowGroups } from "./accounts/shadow-utils.js";
import { type Group, groupLine, withFields, withLine, withoutLine, withPrimary } from "./accounts/tables.js";

/** A group, or that there is none. */
export const group: ResourceType<GroupOptions, Result, GroupProvider> = {
  name: "group",
  options: {
    gid: rules.count,
    system: rules.flag,
    members: rules.list,
    append: rules.flag,
    absent: rules.flag,
    ...PROVIDER_RULES,
  },
  providers: [busyboxGroups, shadowGroups],
  async plan(context, name, options, provider) {
    mustBeName("group", name);
    const { gid, members, append } = options;
    if (append && members === undefined) throw new Refusal('"append" needs "members": who is to be added');
    for (const member of members ?? []) mustBeName("user", member);
    const accounts = await Accounts.read(context);
    const now = accounts.group(name);
    if (options.absent) {
      const other = (["gid", "members", "system"] as const).find((option) => options[option] !== undefined);
      if (other !== undefined) throw new Refusal(`it can't have both "absent" and "${other}"`);
      return now ? planAbsent(context, accounts, now, provider) : NOTHING;
    }
    const holder = accounts.groups.find((one) => one.gid === gid && one.name !== name);
    if (holder) throw new Refusal(`the gid ${gid} belongs to the group "${holder.name}"`);
    for (const member of members ?? [])
      if (!accounts.user(member) && !context.uncertain())
        throw new Refusal(`the user "${member}" does not exist on this host; make it with user() before`);
    return now
      ? planChange(context, now, options, provider)
      : planCreate(context, accounts, name, options, provider);
  },
};

async function planAbsent(
  context: TypeContext,
  accounts: Accounts,
  now: Group,
  provider: GroupProvider,
): Promise<Plan> {
  const { name, gid } = now;
  if (gid === 0) throw new Refusal("the group with the id 0 is not removed");
  const user = accounts.users.find((one) => one.gid === gid);
  if (user) throw new Refusal(`it is the primary group of the user "${user.name}"`);
  mustBeRoot();
  const tables = await PlannedTables.read(context);
  return {
    actions: ["remove"],
    ...(context.diff ? { diff: `group: ${name} -> none\n` } : {}),
    foresee: () => tables.foresee(GROUP, (text) => withoutLine(text, name)),
    async apply() {
      for (const step of provider.remove(context, now)) await step();
      return ["remove"];
    },
  };
}

async function planCreate(
  context: TypeContext,
  accounts: Accounts,
  name: string,
  { gid, system = false, members = [] }: GroupOptions,
  provider: GroupProvider,
): Promise<Plan> {
  mustBeRoot();
  await accounts.mustNotBeElsewhere("group", name);
  const taken = new Set(accounts.groups.map((one) => one.gid));
  const made: Group = { name, gid: gid ?? freeId(taken, system), members: [...new Set(members)].sort() };
  const tables = await PlannedTables.read(context);
  const lines = [
    `group: none -> ${name}\n`,
    ...(gid === undefined ? [] : [`gid: none -> ${gid}\n`]),
    ...(made.members.length === 0 ? [] : [`members: none -> ${made.members.join(",")}\n`]),
  ];
  return {
    actions: ["create"],
    ...(context.diff ? { diff: lines.join("") } : {}),
    foresee: () => tables.foresee(GROUP, (text) => withLine(text, groupLine(made))),
    async apply() {
      for (const step of provider.create(context, name, gid, system)) await step();
      if (made.members.length > 0)
        for (const step of provider.change(context, made, { members: made.members })) await step();
      return ["create"];
    },
  };
}

async function planChange(
  context: TypeContext,
  now: Group,
  options: GroupOptions,
  provider: GroupProvider,
): Promise<Plan> {
  const { name } = now;
  const before = [...now.members].sort();
  const members =
    options.members === undefined
      ? before
      : [...new Set([...(options.append ? before : []), ...options.members])].sort();
  const gid = options.gid ?? now.gid;
  const change = {
    gid: gid === now.gid ? undefined : gid,
    members: members.join() === before.join() ? undefined : members,
  };
  const actions = [
    ...(change.gid === undefined ? [] : ["gid"]),
    ...(change.members === undefined ? [] : ["members"]),
  ];
  if (actions.length === 0) return NOTHING;
  mustBeRoot();
  const tables = await PlannedTables.read(context);
  const list = (names: readonly string[]) => names.join(",") || "none";
  const lines = [
    ...(change.gid === undefined ? [] : [`gid: ${now.gid} -> ${gid}\n`]),
    ...(change.members === undefined ? [] : [`members: ${list(before)} -> ${list(members)}\n`]),
  ];
  return {
    actions,
    ...(context.diff ? { diff: lines.join("") } : {}),
    foresee() {
      tables.foresee(GROUP, (text) => withFields(text, name, { 2: String(gid), 3: members.join(",") }));
      tables.foresee(PASSWD, (text) => withPrimary(text, now.gid, gid));
    },
    async apply() {
      for (const step of provider.change(context, now, change)) await step();
      return actions;
    },
  };
}

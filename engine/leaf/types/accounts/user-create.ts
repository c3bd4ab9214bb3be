import type { UserOptions } from "../../../vocabulary/resources.js";
import { Refusal } from "../../errors.js";
import type { Plan, TypeContext } from "../../type.js";
import { type Accounts, freeId, GROUP, mustBeRoot, PASSWD, PlannedTables, SHADOW } from "./database.js";
import { foreseenHome } from "./home.js";
import { FRESH, passwordChange } from "./password.js";
import type { NewUser, UserProvider } from "./provider.js";
import { type Account, groupLine, parseDay, passwdLine, withLine, withMember } from "./tables.js";
import { setPassword, UNSEEN } from "./user-change.js";

/** The plan of an account that is not there yet. */
export async function planCreate(
  context: TypeContext,
  accounts: Accounts,
  name: string,
  options: UserOptions,
  provider: UserProvider,
): Promise<Plan> {
  const { uid, expires, system = false } = options;
  mustBeRoot();
  await accounts.mustNotBeElsewhere("user", name);
  const holder = uid === undefined ? undefined : accounts.users.find((user) => user.uid === uid);
  if (holder) throw new Refusal(`the uid ${uid} belongs to the user "${holder.name}"`);
  // A group of the user's name that is there already is meant to be the user's.
  const primary = options.group === undefined ? accounts.group(name) : accounts.wantedGroup(options.group);
  const groups = [...new Set(options.groups ?? [])].sort();
  for (const group of groups) accounts.wantedGroup(group);
  const made: NewUser = {
    ...options,
    name,
    group: primary?.name ?? (options.group === undefined ? undefined : String(options.group)),
    groups,
    createHome: options.createHome ?? !system,
    system,
    expires: expires === undefined || expires === "never" ? undefined : parseDay(expires),
  };
  const { locked, password } = options;
  const secret = passwordChange(FRESH, { locked, password });
  return {
    actions: ["create"],
    ...(context.diff ? { diff: createDiff(made, options) } : {}),
    ...(context.check
      ? { foresee: await foresight(context, accounts, made, primary?.gid, secret?.field) }
      : {}),
    async apply() {
      for (const step of provider.create(context, made)) await step();
      if (secret) await setPassword(context, name, secret.field);
      return ["create"];
    },
  };
}

function createDiff(made: NewUser, { password, locked, expires }: UserOptions): string {
  const shown: Readonly<Record<string, string | number | undefined>> = {
    uid: made.uid,
    group: made.group,
    groups: made.groups.length > 0 ? made.groups.join(",") : undefined,
    home: made.home,
    shell: made.shell,
    comment: made.comment,
    expires,
    password: password === undefined ? undefined : UNSEEN,
    locked: locked === undefined ? undefined : locked ? "yes" : "no",
  };
  const lines = Object.entries(shown).filter(([, value]) => value !== undefined);
  return `user: none -> ${made.name}\n${lines.map(([name, value]) => `${name}: none -> ${value}\n`).join("")}`;
}

/** What later resources of a check see of it: ids that are not given are guessed. */
async function foresight(
  context: TypeContext,
  accounts: Accounts,
  made: NewUser,
  gid: number | undefined,
  password = FRESH,
): Promise<() => void> {
  const { name, system, groups } = made;
  const uid = made.uid ?? freeId(new Set(accounts.users.map((user) => user.uid)), system);
  const gids = new Set(accounts.groups.map((group) => group.gid));
  const own = gids.has(uid) ? freeId(gids, system) : uid;
  const account: Account = {
    name,
    uid,
    gid: gid ?? own,
    comment: made.comment ?? "",
    home: made.home ?? `/home/${name}`,
    shell: made.shell ?? "/bin/sh",
  };
  const tables = await PlannedTables.read(context);
  const home = made.createHome ? await foreseenHome(context, account.home, account) : () => undefined;
  return () => {
    tables.foresee(PASSWD, (text) => withLine(text, passwdLine(account)));
    tables.foresee(SHADOW, (text) => withLine(text, `${name}:${password}::::::${made.expires ?? ""}:`));
    tables.foresee(GROUP, (text) => {
      const known =
        made.group === undefined ? withLine(text, groupLine({ name, gid: own, members: [] })) : text;
      return withMember(known, name, groups);
    });
    home();
  };
}

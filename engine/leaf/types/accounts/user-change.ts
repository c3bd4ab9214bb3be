import type { UserOptions } from "../../../vocabulary/resources.js";
import { Refusal } from "../../errors.js";
import { NOTHING, type Plan, type TypeContext } from "../../type.js";
import { type Accounts, GROUP, mustBeRoot, PASSWD, PlannedTables, SHADOW } from "./database.js";
import { foreseenHome, makeHome } from "./home.js";
import { type PasswordChange, passwordChange } from "./password.js";
import type { Step, UserChange, UserProvider } from "./provider.js";
import { type Account, formatDay, parseDay, passwdLine, withFields, withMember } from "./tables.js";

/** Stands in diffs for what is not shown. */
export const UNSEEN = "(not shown)";

/** Sets the whole field in /etc/shadow; it goes over stdin, where no other process sees it. */
export function setPassword(context: TypeContext, name: string, field: string): Promise<unknown> {
  return context.exec("chpasswd", ["-e"], { stdin: `${name}:${field}\n` });
}

/** One attribute that differs. */
interface Difference {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

/** The plan of an account that is there. */
export async function planChange(
  context: TypeContext,
  accounts: Accounts,
  now: Account,
  options: UserOptions,
  provider: UserProvider,
): Promise<Plan> {
  const differences: Difference[] = [];
  const differs = (name: string, from: string | number, to: string | number) => {
    differences.push({ name, from: String(from), to: String(to) });
  };
  const after = await accountAfter(context, accounts, now, options, differs);
  const groups = groupsAfter(accounts, after, options, differs);
  const missing = await missingHome(context, now, after, options);
  const moved = options.moveHome === true && after.home !== now.home && !missing;
  if (missing) differs("createHome", "none", after.home);
  if (after.shell !== now.shell) differs("shell", now.shell, after.shell);
  if (after.comment !== now.comment) differs("comment", now.comment, after.comment);
  const secrets = await secretAfter(accounts, now, options, differs);
  const { expires, secret } = secrets;
  if (differences.length === 0) return NOTHING;
  mustBeRoot();
  const change: UserChange = {
    ...changed(now, after),
    home: after.home === now.home ? undefined : { to: after.home, move: moved },
    groups: groups && {
      before: besidePrimary(accounts, after.gid, accounts.groupsOf(now.name)),
      after: groups,
    },
    expires,
  };
  const steps: Step[] = [...provider.change(context, now, change)];
  if (missing) steps.push(await makeHome(context, after, after));
  if (secret) steps.push(() => setPassword(context, now.name, secret.field));
  const actions = differences.map(({ name }) => name);
  return {
    actions,
    ...(context.diff
      ? { diff: differences.map(({ name, from, to }) => `${name}: ${from} -> ${to}\n`).join("") }
      : {}),
    ...(context.check
      ? { foresee: await foresight(context, now, after, groups, secrets, { made: missing, moved }) }
      : {}),
    async apply() {
      for (const step of steps) await step();
      return actions;
    },
  };
}

type Differs = (name: string, from: string | number, to: string | number) => void;

/** What its line in /etc/passwd becomes. */
async function accountAfter(
  context: TypeContext,
  accounts: Accounts,
  now: Account,
  options: UserOptions,
  differs: Differs,
): Promise<Account> {
  const { uid = now.uid, home = now.home, shell = now.shell, comment = now.comment } = options;
  const holder = accounts.users.find((user) => user.uid === uid && user.name !== now.name);
  if (uid !== now.uid) {
    if (holder) throw new Refusal(`the uid ${uid} belongs to the user "${holder.name}"`);
    if (now.uid === 0) throw new Refusal("an account with the id 0 keeps it");
    differs("uid", now.uid, uid);
  }
  const group = options.group === undefined ? undefined : accounts.wantedGroup(options.group);
  const gid = options.group === undefined ? now.gid : (group?.gid ?? UNKNOWN);
  if (gid !== now.gid) differs("group", accounts.groupName(now.gid), group?.name ?? String(options.group));
  if (home !== now.home) differs("home", now.home, home);
  if (home !== now.home && options.moveHome) {
    const there = await context.files.resolve(home, false);
    if (there.entry && (await context.files.resolve(now.home, false)).entry)
      throw new Refusal(`its home can't be moved to ${home}, where something stands already`);
  }
  return { ...now, uid, gid, home, shell, comment };
}

/** A group that may have been made by what a check did not run */
const UNKNOWN = -1;

/** Whether its primary group lists it as a member too, as on Alpine, means nothing. */
const besidePrimary = (accounts: Accounts, gid: number, groups: readonly string[]): string[] =>
  groups.filter((group) => accounts.group(group)?.gid !== gid);

function groupsAfter(
  accounts: Accounts,
  { name, gid }: Account,
  { groups, append }: UserOptions,
  differs: Differs,
): readonly string[] | undefined {
  if (groups === undefined) return undefined;
  for (const group of groups) accounts.wantedGroup(group);
  const before = besidePrimary(accounts, gid, accounts.groupsOf(name));
  const wanted = besidePrimary(accounts, gid, groups);
  const after = [...new Set([...(append ? before : []), ...wanted])].sort();
  if (after.join() === before.join()) return undefined;
  differs("groups", before.join(",") || "none", after.join(",") || "none");
  return after;
}

/** Whether its home folder has to be made; a move has none to make. */
async function missingHome(
  { files }: TypeContext,
  now: Account,
  after: Account,
  { createHome, moveHome }: UserOptions,
): Promise<boolean> {
  if (createHome !== true || (await files.resolve(after.home, true)).entry) return false;
  return !(moveHome && after.home !== now.home && (await files.resolve(now.home, false)).entry);
}

interface SecretAfter {
  readonly expires?: number | null;
  readonly secret?: PasswordChange;
}

/** What changes in /etc/shadow, which is read only where an option is about it. */
async function secretAfter(
  accounts: Accounts,
  { name }: Account,
  options: UserOptions,
  differs: Differs,
): Promise<SecretAfter> {
  const { password, locked, expires } = options;
  if (password === undefined && locked === undefined && expires === undefined) return {};
  const now = await accounts.secret(name);
  const wanted = expires === undefined ? now.expires : expires === "never" ? undefined : parseDay(expires);
  const expiry = wanted === now.expires ? {} : { expires: wanted ?? null };
  if (wanted !== now.expires) differs("expires", dayText(now.expires), dayText(wanted));
  const secret = passwordChange(now.password, options);
  if (secret?.password) differs("password", UNSEEN, UNSEEN);
  if (secret?.locked !== undefined) differs("locked", yesNo(!secret.locked), yesNo(secret.locked));
  return { ...expiry, ...(secret ? { secret } : {}) };
}

const dayText = (days: number | undefined): string => (days === undefined ? "never" : formatDay(days));
const yesNo = (value: boolean): string => (value ? "yes" : "no");

/** The fields of /etc/passwd that differ. */
function changed(now: Account, after: Account): Pick<UserChange, "uid" | "gid" | "shell" | "comment"> {
  const pick = <T>(before: T, then: T) => (before === then ? undefined : then);
  return {
    uid: pick(now.uid, after.uid),
    gid: pick(now.gid, after.gid),
    shell: pick(now.shell, after.shell),
    comment: pick(now.comment, after.comment),
  };
}

async function foresight(
  context: TypeContext,
  now: Account,
  after: Account,
  groups: readonly string[] | undefined,
  { expires, secret }: SecretAfter,
  { made, moved }: { readonly made: boolean; readonly moved: boolean },
): Promise<() => void> {
  const { name } = now;
  const { files } = context;
  const tables = await PlannedTables.read(context);
  const old = moved ? await files.resolve(now.home, false) : undefined;
  const home = made || old?.entry ? await foreseenHome(context, after.home, after) : () => undefined;
  return () => {
    tables.foresee(PASSWD, (text) => withFields(text, name, Object.assign({}, passwdLine(after).split(":"))));
    if (groups) tables.foresee(GROUP, (text) => withMember(text, name, groups));
    tables.foresee(SHADOW, (text) =>
      withFields(text, name, {
        ...(secret ? { 1: secret.field } : {}),
        ...(expires === undefined ? {} : { 7: String(expires ?? "") }),
      }),
    );
    if (old?.entry) files.foresee(old.path, undefined);
    home();
  };
}

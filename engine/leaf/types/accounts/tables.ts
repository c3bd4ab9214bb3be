/** /etc/passwd, /etc/group and /etc/shadow as texts: what they say, and their lines changed one at a time. */

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly comment: string;
  readonly home: string;
  readonly shell: string;
}

export interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** What /etc/shadow has of an account. */
export interface Secret {
  /** A hash, "*" for none, with "!" in front when it is locked */
  readonly password: string;
  /** Days since 1970-01-01; undefined: never */
  readonly expires: number | undefined;
}

type Fields = readonly string[];

function* rows(text: string, least: number): Generator<Fields> {
  for (const line of text.split("\n")) {
    const fields = line.split(":");
    // Comments, and the + and - of NIS, are no entries.
    if (fields.length >= least && /^[^#+-]/.test(line)) yield fields;
  }
}

export function parsePasswd(text: string): Account[] {
  const accounts: Account[] = [];
  for (const [name = "", , uid, gid, comment = "", home = "", shell = ""] of rows(text, 7))
    accounts.push({ name, uid: Number(uid), gid: Number(gid), comment, home, shell });
  return accounts;
}

export function parseGroup(text: string): Group[] {
  const groups: Group[] = [];
  for (const [name = "", , gid, members = ""] of rows(text, 4))
    groups.push({ name, gid: Number(gid), members: members.split(",").filter((member) => member !== "") });
  return groups;
}

export function findSecret(text: string, wanted: string): Secret | undefined {
  // -1 is what chage writes for "never".
  for (const [name, password = "", , , , , , expires = ""] of rows(text, 2))
    if (name === wanted) return { password, expires: /^\d+$/.test(expires) ? Number(expires) : undefined };
  return undefined;
}

export const passwdLine = ({ name, uid, gid, comment, home, shell }: Account): string =>
  [name, "x", uid, gid, comment, home, shell].join(":");

export const groupLine = ({ name, gid, members }: Group): string =>
  [name, "x", gid, members.join(",")].join(":");

/** The text with the fields (by their number, from 0) of one entry replaced. */
export function withFields(
  text: string,
  name: string,
  changes: Readonly<Record<number, string | number>>,
): string {
  return eachLine(text, name, (line) => {
    const fields = line.split(":");
    for (const [index, value] of Object.entries(changes)) fields[Number(index)] = String(value);
    return [Array.from(fields, (field) => field ?? "").join(":")];
  });
}

export const withoutLine = (text: string, name: string): string => eachLine(text, name, () => []);

export function withLine(text: string, line: string): string {
  return `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${line}\n`;
}

function eachLine(text: string, name: string, change: (line: string) => readonly string[]): string {
  return text
    .split("\n")
    .flatMap((line) => (line.startsWith(`${name}:`) ? change(line) : [line]))
    .join("\n");
}

/** The text of /etc/passwd where a group got another id: who had it as the primary one has the new one. */
export function withPrimary(text: string, before: number, after: number): string {
  return parsePasswd(text)
    .filter(({ gid }) => gid === before)
    .reduce((changed, { name }) => withFields(changed, name, { 3: after }), text);
}

/** The text of /etc/group with a user in exactly these groups, as a supplementary member. */
export function withMember(text: string, user: string, groups: readonly string[]): string {
  return parseGroup(text).reduce((changed, { name, members }) => {
    const wanted = groups.includes(name);
    if (wanted === members.includes(user)) return changed;
    const after = wanted ? [...members, user] : members.filter((member) => member !== user);
    return withFields(changed, name, { 3: after.join(",") });
  }, text);
}

export const withoutMember = (text: string, user: string): string => withMember(text, user, []);

/** Without "!" in front. */
export const bare = (password: string): string => password.replace(/^!+/, "");
export const isLocked = (password: string): boolean => password.startsWith("!");

const DAY = 86_400_000;

/** Days since 1970 of "2027-12-31"; undefined for what is no day of the calendar. */
export function parseDay(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(ms) || formatDay(ms / DAY) !== text ? undefined : ms / DAY;
}

export function formatDay(days: number): string {
  return new Date(days * DAY).toISOString().slice(0, 10);
}

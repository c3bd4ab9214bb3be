import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { Refusal } from "../../errors.js";
import { replaceFile } from "../../files/atomic.js";
import type { TypeContext } from "../../type.js";
import { GROUP, PASSWD, SHADOW } from "./database.js";
import { type GroupProvider, isBusybox, type Step, step, type UserProvider } from "./provider.js";
import { withFields, withPrimary } from "./tables.js";

/** Fields of an account in /etc/passwd, of a group in /etc/group, of an account in /etc/shadow, from 0. */
const IN_PASSWD = { uid: 2, gid: 3, comment: 4, home: 5, shell: 6 } as const;
const IN_GROUP = { gid: 2, members: 3 } as const;
const IN_SHADOW = { expires: 7 } as const;

/** busybox can make accounts but not change them: the line is written anew, and the file is put in place whole. */
const edit =
  (context: TypeContext, table: string, change: (text: string) => string): Step =>
  async () => {
    const { path, entry } = await context.files.resolve(table, true);
    if (entry?.kind !== "file") throw new Refusal(`${table} is not there`);
    const text = Buffer.from((await context.files.read(path, entry)) ?? "").toString("utf8");
    const bytes = Buffer.from(change(text));
    await replaceFile({
      path,
      before: entry,
      attributes: entry,
      content: once(bytes),
      signal: context.signal,
    });
  };

const editLine = (
  context: TypeContext,
  table: string,
  name: string,
  changes: Readonly<Record<number, string | number>>,
): Step => edit(context, table, (text) => withFields(text, name, changes));

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** As usermod does it: what has the account's old id in its home gets the new one. */
function handOver(
  context: TypeContext,
  home: string,
  which: readonly (string | number)[],
  program: "chown" | "chgrp",
  id: number | undefined,
): Step[] {
  if (id === undefined) return [];
  const change = step(context, "find", [home, "-xdev", ...which, "-exec", program, "-h", id, "{}", "+"]);
  return [async () => (existsSync(home) ? change() : undefined)];
}

/** adduser, deluser, addgroup and delgroup of busybox, as on Alpine. */
export const busyboxUsers: UserProvider = {
  name: "busybox",
  suits: isBusybox,
  create(context, user) {
    const { name, uid, group, home, shell, comment, expires, system, createHome } = user;
    // -S without a group would put it into one that all such accounts share.
    const own = group === undefined ? [step(context, "addgroup", [...(system ? ["-S"] : []), name])] : [];
    const args = [
      "-D",
      ...(system ? ["-S"] : []),
      ...(createHome ? [] : ["-H"]),
      ...(uid === undefined ? [] : ["-u", uid]),
      ...["-G", group ?? name],
      ...(home === undefined ? [] : ["-h", home]),
      ...(shell === undefined ? [] : ["-s", shell]),
      ...["-g", comment ?? ""],
      name,
    ];
    return [
      ...own,
      step(context, "adduser", args),
      ...user.groups.map((one) => step(context, "addgroup", [name, one])),
      ...(expires === undefined ? [] : [editLine(context, SHADOW, name, { [IN_SHADOW.expires]: expires })]),
    ];
  },
  change(context, now, { uid, gid, groups, home, shell, comment, expires }) {
    const { name } = now;
    const line: Record<number, string | number> = {};
    if (uid !== undefined) line[IN_PASSWD.uid] = uid;
    if (gid !== undefined) line[IN_PASSWD.gid] = gid;
    if (home !== undefined) line[IN_PASSWD.home] = home.to;
    if (shell !== undefined) line[IN_PASSWD.shell] = shell;
    if (comment !== undefined) line[IN_PASSWD.comment] = comment;
    const { before, after } = groups ?? { before: [], after: [] };
    const at = home?.move ? home.to : now.home;
    return [
      ...(home?.move ? [() => rename(now.home, home.to)] : []),
      ...(Object.keys(line).length > 0 ? [editLine(context, PASSWD, name, line)] : []),
      ...handOver(context, at, ["-user", now.uid], "chown", uid),
      ...handOver(context, at, ["-group", now.gid], "chgrp", gid),
      ...after.filter((one) => !before.includes(one)).map((one) => step(context, "addgroup", [name, one])),
      ...before.filter((one) => !after.includes(one)).map((one) => step(context, "delgroup", [name, one])),
      ...(expires === undefined
        ? []
        : [editLine(context, SHADOW, name, { [IN_SHADOW.expires]: expires ?? "" })]),
    ];
  },
  remove: (context, { name }, home) => [step(context, "deluser", [...(home ? ["--remove-home"] : []), name])],
};

export const busyboxGroups: GroupProvider = {
  name: "busybox",
  suits: isBusybox,
  create: (context, name, gid, system) => [
    step(context, "addgroup", [...(system ? ["-S"] : []), ...(gid === undefined ? [] : ["-g", gid]), name]),
  ],
  change(context, now, { gid, members }) {
    const { name } = now;
    const line: Record<number, string | number> = {};
    if (gid !== undefined) line[IN_GROUP.gid] = gid;
    if (members !== undefined) line[IN_GROUP.members] = members.join(",");
    return [
      editLine(context, GROUP, name, line),
      ...(gid === undefined ? [] : [edit(context, PASSWD, (text) => withPrimary(text, now.gid, gid))]),
    ];
  },
  remove: (context, { name }) => [step(context, "delgroup", [name])],
};

import { constants } from "node:fs";
import { chmod, type FileHandle, lchown, lstat, open } from "node:fs/promises";
import type { OwnershipOptions } from "../../vocabulary/resources.js";
import { hasCode, Refusal, refuse } from "../errors.js";
import { rules } from "../options.js";
import { type AccountKind, accountId, accountName } from "./accounts.js";
import type { Attributes, Entry, Files } from "./files.js";

/** Rules of the options that `file` and `directory` share. */
export const OWNERSHIP_RULES = { owner: rules.account, group: rules.account, mode: rules.mode } as const;

/** What was asked for; undefined: leave it as it is. */
export interface Wanted {
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

/** With `files`, accounts that a check planned are known too. */
export async function wantedAttributes(options: OwnershipOptions, files?: Files): Promise<Wanted> {
  const { owner, group, mode } = options;
  return {
    mode: mode === undefined ? undefined : bits(mode),
    uid: owner === undefined ? undefined : await accountId("user", owner, files),
    gid: group === undefined ? undefined : await accountId("group", group, files),
  };
}

const bits = (mode: number | string): number =>
  typeof mode === "number" ? mode : Number.parseInt(mode.replace(/^0o/, ""), 8);

/** Names of the attributes that differ: "owner", "group", "mode". */
export function attributeChanges(now: Attributes, wanted: Wanted): string[] {
  const changes: string[] = [];
  if (wanted.uid !== undefined && wanted.uid !== now.uid) changes.push("owner");
  if (wanted.gid !== undefined && wanted.gid !== now.gid) changes.push("group");
  if (wanted.mode !== undefined && wanted.mode !== now.mode) changes.push("mode");
  return changes;
}

/** The attributes after the change. */
export function withWanted(now: Attributes, wanted: Wanted): Attributes {
  return { mode: wanted.mode ?? now.mode, uid: wanted.uid ?? now.uid, gid: wanted.gid ?? now.gid };
}

/** Lines such as "mode: 0644 -> 0600" for a diff. */
export async function attributeDiff(now: Attributes, wanted: Wanted, files?: Files): Promise<string> {
  const name = (kind: AccountKind, id: number) => accountName(kind, id, files);
  const lines: string[] = [];
  if (wanted.uid !== undefined && wanted.uid !== now.uid)
    lines.push(`owner: ${await name("user", now.uid)} -> ${await name("user", wanted.uid)}`);
  if (wanted.gid !== undefined && wanted.gid !== now.gid)
    lines.push(`group: ${await name("group", now.gid)} -> ${await name("group", wanted.gid)}`);
  if (wanted.mode !== undefined && wanted.mode !== now.mode)
    lines.push(`mode: ${octal(now.mode)} -> ${octal(wanted.mode)}`);
  return lines.map((line) => `${line}\n`).join("");
}

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

/** What something new gets from the kernel in a folder, undefined where that is not known. */
export function freshAttributes(
  kind: "file" | "directory",
  executable: boolean,
  folder: Attributes | undefined,
): Attributes {
  const inherits = folder !== undefined && (process.platform !== "linux" || (folder.mode & SETGID) !== 0);
  const passedOn = kind === "directory" && folder && process.platform === "linux" ? folder.mode & SETGID : 0;
  const mode = kind === "directory" || executable ? 0o777 : 0o666;
  return {
    mode: (mode & ~process.umask()) | passedOn,
    uid: process.geteuid?.() ?? 0,
    gid: inherits ? folder.gid : (process.getegid?.() ?? 0),
  };
}

const SETGID = 0o2000;

/** Says at planning time what the kernel would refuse later, so that --check tells it too. */
export function mayBecome(now: Attributes, after: Attributes): void {
  const me = process.geteuid?.() ?? 0;
  if (me === 0) return;
  if (after.uid !== now.uid) throw new Refusal("its owner can't be changed by a user that is not root");
  if (now.uid !== me && (after.mode !== now.mode || after.gid !== now.gid))
    throw new Refusal("its attributes can't be changed, since it belongs to another user");
  if (after.gid !== now.gid && !inGroup(after.gid))
    throw new Refusal("its group can't be changed to one that this user is not in");
  if (after.mode !== now.mode && (after.mode & SETGID) !== 0 && !inGroup(after.gid))
    throw new Refusal("it can't be setgid, since this user is not in its group");
}

/** The same for a new file that takes an old one's place. */
export function mayOwn(fresh: Attributes, after: Attributes): void {
  const me = process.geteuid?.() ?? 0;
  if (me === 0) return;
  if (after.uid !== me)
    throw new Refusal("it belongs to another user, so that this one can't replace it and keep its owner");
  if (after.gid !== fresh.gid && !inGroup(after.gid))
    throw new Refusal(
      "it has a group that this user is not in, so that it can't be replaced and keep its group",
    );
}

function inGroup(gid: number): boolean {
  return process.getegid?.() === gid || (process.getgroups?.() ?? []).includes(gid);
}

/**
 * Gives something its attributes, but a link its owner and group only, and looks whether it has them. Throws a
 * Refusal; gives the names of what it changed.
 */
export async function setAttributes(at: string, before: Entry, after: Attributes): Promise<string[]> {
  const owned = before.uid !== after.uid || before.gid !== after.gid;
  // chown clears setuid and setgid.
  const modal =
    before.kind !== "link" && (before.mode !== after.mode || (owned && (after.mode & 0o6000) !== 0));
  const handle = await hold(at, before);
  try {
    if (owned) await (handle ? handle.chown(after.uid, after.gid) : lchown(at, after.uid, after.gid));
    if (modal) await (handle ? handle.chmod(after.mode) : chmod(at, after.mode));
    const { mode, uid, gid } = await (handle ? handle.stat() : lstat(at));
    const now = { mode: before.kind === "link" ? before.mode : mode & 0o7777, uid, gid };
    mustHave(now, before.kind === "link" ? { ...after, mode: undefined } : after);
    return attributeChanges(before, now);
  } catch (error) {
    throw refuse("its attributes can't be changed", error);
  } finally {
    await handle?.close();
  }
}

/** Throws a Refusal when a file system took new attributes without a word and did not keep them. */
export function mustHave(now: Attributes, wanted: Wanted): void {
  const missed = attributeChanges(now, wanted);
  if (missed.length > 0) throw new Refusal(`the file system did not keep its ${missed.join(" and ")}`);
}

/** So that nobody can put a link to something else there in the meantime; undefined where it can't be opened. */
async function hold(at: string, before: Entry): Promise<FileHandle | undefined> {
  if (before.kind !== "file" && before.kind !== "directory") return undefined;
  try {
    const handle = await open(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const then = before.kind === "file" ? before.stats : undefined;
    if (!then || (await handle.stat()).ino === then.ino) return handle;
    await handle.close();
  } catch (error) {
    // An owner may change what he may not read.
    if (hasCode(error, "EACCES") && process.geteuid?.() !== 0) return undefined;
    throw refuse("its attributes can't be changed", error);
  }
  throw new Refusal("it was replaced by someone else in the meantime");
}

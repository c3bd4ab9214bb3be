import { constants } from "node:fs";
import { copyFile, link, lstat, lutimes, unlink } from "node:fs/promises";
import { hasCode, refuse } from "../errors.js";
import { setAttributes } from "./attributes.js";

/** Where the copy of a file is kept that is replaced now: beside it, with the time in UTC. */
export function backupName(at: string, now = new Date()): string {
  const time = now.toISOString().replace(/[-:]/g, "").replace(".", "");
  return `${at}.${time}~`;
}

/**
 * Keeps what stands at a path under another name too, with all its attributes. A second name costs nothing, and stays
 * with the old content when a new file is renamed over the first.
 */
export async function keepCopy(at: string, to: string): Promise<string> {
  try {
    await link(at, to);
  } catch (error) {
    // Not every file system has links, and not every user may link to what is not his own.
    if (!hasCode(error, "EPERM", "ENOTSUP", "EOPNOTSUPP", "EMLINK", "EACCES", "ENOSYS"))
      throw refuse(`its backup ${to} can't be made`, error);
    await realCopy(at, to);
  }
  return to;
}

async function realCopy(at: string, to: string): Promise<void> {
  try {
    await copyFile(at, to, constants.COPYFILE_EXCL);
    const [old, copy] = await Promise.all([lstat(at), lstat(to)]);
    const attributes = (of: typeof old) => ({ mode: of.mode & 0o7777, uid: of.uid, gid: of.gid });
    const entry = { ...attributes(copy), kind: "file", size: copy.size, stats: copy } as const;
    await setAttributes(to, entry, attributes(old));
    await lutimes(to, old.atime, old.mtime);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) await unlink(to).catch(() => undefined);
    throw refuse(`its backup ${to} can't be made`, error);
  }
}

import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, rename, unlink } from "node:fs/promises";
import path from "node:path";
import { causeOf, hasCode, Refusal, refuse, throwIfAborted } from "../errors.js";
import { mustHave } from "./attributes.js";
import { keepCopy } from "./backup.js";
import type { Attributes, Entry } from "./files.js";

export interface Replacement {
  readonly path: string;
  /** What stood there when it was planned */
  readonly before: Entry | undefined;
  readonly attributes: Attributes;
  readonly content: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
  /** Time of last change that it gets; default: now */
  readonly modified?: Date | undefined;
  /** Where the old file is kept, if it shall be */
  readonly backup?: string | undefined;
  /** Looks at the whole new file before it is put in place; throws a Refusal when it must not be */
  validate?(temporary: string): Promise<void>;
  /** false: whoever replaces many files makes them last on the disk himself */
  readonly sync?: boolean;
}

/**
 * Puts content in place: readers see the old file or the new one, whole, at any moment and after a crash. Nothing is
 * left behind when it fails.
 */
export async function replaceFile(job: Replacement): Promise<void> {
  const folder = path.dirname(job.path);
  // With the name's end as it is: programs that validate a file look at that.
  const temporary = path.join(
    folder,
    `.mop-${randomBytes(6).toString("hex")}.${path.basename(job.path).slice(-64)}`,
  );
  let handle: FileHandle | undefined;
  let kept: string | undefined;
  try {
    // Readable to nobody else until it has its own mode: content may be secret.
    handle = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    for await (const chunk of job.content) {
      throwIfAborted(job.signal);
      await writeAll(handle, chunk);
    }
    const { uid, gid } = await handle.stat();
    if (uid !== job.attributes.uid || gid !== job.attributes.gid)
      await handle.chown(job.attributes.uid, job.attributes.gid);
    // After chown, which clears setuid and setgid.
    await handle.chmod(job.attributes.mode);
    const now = await handle.stat();
    mustHave({ mode: now.mode & 0o7777, uid: now.uid, gid: now.gid }, job.attributes);
    if (job.modified) await handle.utimes(job.modified, job.modified);
    if (job.sync !== false) await handle.sync();
    await handle.close();
    handle = undefined;
    await job.validate?.(temporary);
    throwIfAborted(job.signal);
    await unchangedSince(job);
    if (job.backup !== undefined) kept = await keepCopy(job.path, job.backup);
    await rename(temporary, job.path);
  } catch (error) {
    await handle?.close().catch(() => undefined);
    await unlink(temporary).catch(() => undefined);
    if (kept !== undefined) await unlink(kept).catch(() => undefined);
    if (hasCode(error, "EBUSY", "EXDEV"))
      throw new Refusal(
        "it is a mount point of its own (as /etc/hosts in a container is), which can't be replaced atomically",
      );
    if (job.signal.aborted || !hasCode(error)) throw error;
    throw new Refusal(`it can't be written: ${causeOf(error)}`);
  }
  if (job.sync !== false) await syncFolder(folder);
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.length; )
    offset += (await handle.write(chunk, offset, chunk.length - offset)).bytesWritten;
}

/** What was planned must still be true: someone else's new content is not overwritten unseen. */
async function unchangedSince({ path: at, before }: Replacement): Promise<void> {
  const now = await lstat(at).catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  });
  const then = before?.kind === "file" ? before.stats : undefined;
  const same =
    now && then
      ? now.ino === then.ino &&
        now.size === then.size &&
        now.mtimeMs === then.mtimeMs &&
        now.mode === then.mode
      : now === undefined && before === undefined;
  if (!same)
    throw new Refusal("it was changed by someone else while it was being replaced; it is left as it is now");
}

/** Makes a rename, a creation or a removal in a folder last. File systems that can't do it need not. */
export async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, constants.O_RDONLY);
    await handle.sync();
  } catch (error) {
    if (!hasCode(error, "EINVAL", "ENOTSUP", "EACCES", "EISDIR", "EPERM"))
      throw refuse(`${folder} can't be written to disk`, error);
  } finally {
    await handle?.close();
  }
}

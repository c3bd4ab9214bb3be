import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open, realpath } from "node:fs/promises";
import { PolicyError } from "../policy-error.js";
import type { FoundFile } from "./folder.js";

/** A link or a pipe that took the file's place is not followed or waited for. Windows has neither flag. */
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

export const openPlain = (absolute: string): Promise<FileHandle> => open(absolute, FLAGS);

/**
 * Opens what `PolicyFolder.find` found, and nothing else: a path that was looked at and then opened may lead to another
 * file by then, for instance through a link that was put in its place. Throws PolicyError.
 */
export async function openFound(file: FoundFile): Promise<FileHandle> {
  const changed = (cause?: unknown) =>
    new PolicyError("changed while it was read", { file: file.absolute }, { cause });
  const handle = await openPlain(file.absolute).catch((error: unknown) => {
    throw changed(error);
  });
  try {
    // Looked at behind the opening: whoever wants to be taken for the file must still be it.
    const [opened, there, real] = [
      await handle.stat(),
      await lstat(file.absolute),
      await realpath(file.absolute),
    ];
    const same = (info: Stats) => info.isFile() && info.dev === file.device && info.ino === file.inode;
    if (real === file.absolute && same(opened) && same(there)) return handle;
  } catch (error) {
    await handle.close();
    throw changed(error);
  }
  await handle.close();
  throw changed();
}

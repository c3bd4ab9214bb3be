import { constants } from "node:fs";
import { access, readFile } from "node:fs/promises";
import path from "node:path";
import { hasCode, Refusal, refuse } from "../errors.js";
import type { Entry, Files, Place } from "./files.js";
import { PASS, permits, WRITE } from "./permits.js";

/*
 * Whether the kernel would allow it, asked while planning: so --check fails where the run would fail, and a run changes
 * nothing before it finds out.
 */

/** Throws a Refusal when names can't be added to or taken from a folder; `gone`: what is to be taken away. */
export async function mayWriteIn(files: Files, folder: string, gone?: Entry): Promise<void> {
  const entry = await files.entry(folder);
  if (!entry) {
    if (files.uncertain) return;
    throw new Refusal(`the folder ${folder} does not exist; make it with directory() before`);
  }
  if (files.isForeseen(folder)) {
    if (!permits(entry, WRITE | PASS))
      throw new Refusal(`the folder ${folder} can't be written in: permission denied`);
  } else {
    await access(folder, constants.W_OK | constants.X_OK).catch((error: unknown) => {
      throw refuse(`the folder ${folder} can't be written in`, error);
    });
  }
  const me = process.geteuid?.() ?? 0;
  const sticky = (entry.mode & 0o1000) !== 0 && me !== 0 && entry.uid !== me;
  if (sticky && gone && gone.uid !== me)
    throw new Refusal(
      `it belongs to another user, and the folder ${folder} lets only owners remove or replace`,
    );
}

/** Throws a Refusal when a new file can't be renamed over what stands there, or that can't be removed. */
export async function mayReplace(files: Files, at: string, entry: Entry): Promise<void> {
  await mayWriteIn(files, path.dirname(at), entry);
  if (files.isForeseen(at) || entry.kind === "link") return;
  await access(at, constants.W_OK).catch((error: unknown) => {
    // A file without write permission can be replaced; one that is immutable says EPERM.
    if (hasCode(error, "EPERM", "EROFS")) throw refuse("it can't be replaced", error);
  });
  if (await isMountPoint(at))
    throw new Refusal(
      "it is a mount point of its own (as /etc/hosts in a container is), which can't be replaced or removed",
    );
}

/** Throws a Refusal when the folder that something new belongs in isn't there. */
export function mustHaveFolder(files: Files, place: Place): void {
  if (place.missing === undefined || files.uncertain) return;
  throw new Refusal(`the folder ${place.missing} does not exist; make it with directory() before`);
}

/** Bind mounts of single files have the device of their folder, so only the kernel's table tells. */
async function isMountPoint(at: string): Promise<boolean> {
  const table = await readFile("/proc/self/mountinfo", "utf8").catch(() => "");
  const escaped = at.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
  return table.split("\n").some((line) => line.split(" ")[4] === escaped);
}

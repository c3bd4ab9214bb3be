import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lchown, mkdir, open } from "node:fs/promises";
import path from "node:path";
import { hasCode, Refusal, refuse } from "../../errors.js";
import { mayReplace, mayWriteIn } from "../../files/access.js";
import { replaceFile } from "../../files/atomic.js";
import {
  attributeChanges,
  attributeDiff,
  freshAttributes,
  mayOwn,
  type Wanted,
} from "../../files/attributes.js";
import { contentDiff } from "../../files/diff.js";
import type { Attributes, Entry } from "../../files/files.js";
import { NOTHING, type Plan, type TypeContext } from "../../type.js";
import type { Account } from "./tables.js";

/** A file of keys as it stands. */
export interface KeyFile {
  readonly folder: string;
  readonly folderEntry: Entry | undefined;
  readonly path: string;
  readonly entry: (Entry & { readonly kind: "file" }) | undefined;
  readonly text: string;
  /** Whose it is when it lies in a user's .ssh folder, which is made and guarded with it */
  readonly owner: Account | undefined;
}

/** A file in the .ssh folder of a user's home. */
export async function homeKeyFile(context: TypeContext, owner: Account, name: string): Promise<KeyFile> {
  const home = (await context.files.resolve(owner.home, true)).path;
  const folder = path.join(home, ".ssh");
  if (!(await context.files.entry(home)) && !context.uncertain())
    throw new Refusal(
      `the home folder ${owner.home} of ${owner.name} does not exist; user() makes it with "createHome: true"`,
    );
  return look(context, folder, path.join(folder, name), owner);
}

/** A file anywhere else. */
export async function keyFileAt(context: TypeContext, given: string): Promise<KeyFile> {
  const place = await context.files.resolve(given, true);
  return look(context, path.dirname(place.path), place.path, undefined);
}

async function look(
  context: TypeContext,
  folder: string,
  at: string,
  owner: Account | undefined,
): Promise<KeyFile> {
  const folderEntry = await context.files.entry(folder);
  // Whoever owns the home could lead root's hand elsewhere with a link.
  if (folderEntry && folderEntry.kind !== "directory")
    throw new Refusal(
      `${folder} is no folder${folderEntry.kind === "link" ? ", but a link" : ""}; name the file with "path"`,
    );
  const entry = folderEntry ? await context.files.entry(at) : undefined;
  if (entry && entry.kind !== "file")
    throw new Refusal(
      `${at} is no ordinary file${entry.kind === "link" ? ", but a link" : ""}; name the file with "path"`,
    );
  const bytes = entry ? await context.files.read(at, entry) : undefined;
  const text = Buffer.from(bytes ?? "").toString("utf8");
  return { folder, folderEntry, path: at, entry, text, owner };
}

/** What becomes of a file: its text, and its attributes where they are asked for. */
export interface KeyFilePlan {
  readonly text: string;
  readonly actions: readonly string[];
  readonly wanted: Wanted;
}

export async function planKeyFile(context: TypeContext, file: KeyFile, planned: KeyFilePlan): Promise<Plan> {
  const { files, diff } = context;
  const { folder, path: at, entry, owner, folderEntry } = file;
  const { text, wanted } = planned;
  const writes = planned.actions.length > 0;
  if (!entry && !writes) return NOTHING;
  const folderWanted: Wanted = owner ? { mode: 0o700, uid: owner.uid, gid: owner.gid } : LEAVE;
  const folderChanges = folderEntry
    ? attributeChanges(folderEntry, folderWanted).length > 0
    : owner !== undefined;
  const changes = entry ? attributeChanges(entry, wanted) : [];
  const actions = [...planned.actions, ...(folderChanges ? ["folder"] : []), ...changes];
  if (actions.length === 0) return NOTHING;
  if (!folderEntry && owner) await mayWriteIn(files, path.dirname(folder));
  else if (entry) await mayReplace(files, at, entry);
  else await mayWriteIn(files, folder);
  const fresh = freshAttributes("file", false, folderEntry);
  const base = entry ?? { ...fresh, mode: owner ? 0o600 : 0o644 };
  const after: Attributes = {
    mode: wanted.mode ?? base.mode,
    uid: wanted.uid ?? base.uid,
    gid: wanted.gid ?? base.gid,
  };
  mayOwn(fresh, after);
  const shown = [
    writes ? contentDiff(at, entry && Buffer.from(file.text), Buffer.from(text)) : "",
    folderChanges
      ? folderEntry
        ? await attributeDiff(folderEntry, folderWanted, files)
        : `folder: none -> ${folder}\n`
      : "",
    entry ? await attributeDiff(entry, wanted, files) : "",
  ];
  const bytes = Buffer.from(text);
  const hash = createHash("sha256").update(bytes).digest("hex");
  return {
    actions,
    ...(diff ? { diff: shown.join("") } : {}),
    foresee() {
      if (owner) files.foresee(folder, { kind: "directory", mode: 0o700, uid: owner.uid, gid: owner.gid });
      files.foresee(at, { ...after, kind: "file", size: bytes.length, content: { hash, bytes } });
    },
    async apply() {
      await inFolder(file, async (held) => {
        const content = once(bytes);
        const target = path.join(held, path.basename(at));
        await replaceFile({
          path: target,
          before: entry,
          attributes: after,
          content,
          signal: context.signal,
        });
      });
      return actions;
    },
  };
}

const LEAVE: Wanted = { mode: undefined, uid: undefined, gid: undefined };

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/**
 * Works in a folder of a user's as it is now: it is held open, so that a link which the user puts in its place in the
 * meantime leads nowhere. Makes the folder and gives it its attributes.
 */
async function inFolder({ folder, owner }: KeyFile, work: (held: string) => Promise<void>): Promise<void> {
  if (!owner) return work(folder);
  const home = await hold(path.dirname(folder));
  let ssh: FileHandle | undefined;
  try {
    const at = path.join(heldPath(home, path.dirname(folder)), ".ssh");
    const made = await mkdir(at, { mode: 0o700 }).then(
      () => true,
      (error: unknown) => {
        if (hasCode(error, "EEXIST")) return false;
        throw refuse(`${folder} can't be made`, error);
      },
    );
    if (made) await lchown(at, owner.uid, owner.gid);
    ssh = await hold(at);
    const now = await ssh.stat();
    if (now.uid !== owner.uid || now.gid !== owner.gid) await ssh.chown(owner.uid, owner.gid);
    if ((now.mode & 0o7777) !== 0o700) await ssh.chmod(0o700);
    await work(heldPath(ssh, folder));
  } finally {
    await ssh?.close();
    await home.close();
  }
}

async function hold(folder: string): Promise<FileHandle> {
  try {
    return await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    throw refuse(`${folder} can't be opened`, error);
  }
}

/** Linux reaches an open folder by its number, wherever its name leads by now. */
const heldPath = (handle: FileHandle, name: string): string =>
  process.platform === "linux" ? `/proc/self/fd/${handle.fd}` : name;

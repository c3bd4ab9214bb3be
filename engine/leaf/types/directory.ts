import { lstat, mkdir, rmdir, unlink } from "node:fs/promises";
import path from "node:path";
import type { DirectoryOptions } from "../../vocabulary/resources.js";
import { hasCode, Refusal, refuse, throwIfAborted } from "../errors.js";
import { mayReplace, mayWriteIn } from "../files/access.js";
import { syncFolder } from "../files/atomic.js";
import {
  attributeChanges,
  attributeDiff,
  freshAttributes,
  mayBecome,
  OWNERSHIP_RULES,
  setAttributes,
  type Wanted,
  wantedAttributes,
  withWanted,
} from "../files/attributes.js";
import { MAX_DIFF } from "../files/diff.js";
import type { Attributes, Entry, Files, Place } from "../files/files.js";
import { rules } from "../options.js";
import { NOTHING, type Plan, type ResourceType, type TypeContext } from "../type.js";

/** A folder and its attributes, or that there is none. */
export const directory: ResourceType<DirectoryOptions> = {
  name: "directory",
  options: { absent: rules.flag, recursive: rules.flag, ...OWNERSHIP_RULES },
  async plan(context, name, options) {
    const recursive = options.recursive ?? false;
    if (options.absent) return planAbsent(context, await context.files.resolve(name, false), recursive);
    const wanted = await wantedAttributes(options, context.files);
    const place = await context.files.resolve(name, true);
    if (!place.entry) return planCreate(context, place, wanted);
    if (place.entry.kind !== "directory") throw new Refusal("a file stands there");
    return planAttributes(context, place.path, place.entry, wanted, recursive);
  },
};

/** Something in a folder, its content before itself. */
interface Found {
  readonly at: string;
  readonly entry: Entry;
}

async function* below(files: Files, at: string): AsyncGenerator<Found> {
  for (const name of await files.list(at)) {
    const child = path.join(at, name);
    const entry = await files.entry(child);
    if (!entry) continue;
    if (entry.kind === "directory") yield* below(files, child);
    yield { at: child, entry };
  }
}

async function planAbsent(
  context: TypeContext,
  { path: at, entry }: Place,
  recursive: boolean,
): Promise<Plan> {
  const { files } = context;
  if (!entry) return NOTHING;
  if (entry.kind !== "directory") throw new Refusal("it is no folder; remove it with file() or link()");
  if (at === "/") throw new Refusal("the root folder can't be removed");
  await mayReplace(files, at, entry);
  const doomed: Found[] = [];
  if (!recursive && (await files.list(at)).length > 0)
    throw new Refusal('the folder is not empty; "recursive: true" removes it with all that is in it');
  for await (const found of below(files, at)) {
    await mayReplace(files, found.at, found.entry);
    doomed.push(found);
  }
  doomed.push({ at, entry });
  return {
    actions: ["remove"],
    ...(context.diff ? { diff: capped(doomed.map((found) => `removed: ${found.at}\n`)) } : {}),
    foresee: () => files.foresee(at, undefined),
    async apply() {
      for (const found of doomed) {
        throwIfAborted(context.signal);
        await (found.entry.kind === "directory" ? rmdir(found.at) : unlink(found.at)).catch(
          (error: unknown) => {
            // Somebody else was faster.
            if (!hasCode(error, "ENOENT")) throw refuse(`${found.at} can't be removed`, error);
          },
        );
      }
      await syncFolder(path.dirname(at));
      return ["remove"];
    },
  };
}

async function planCreate({ files, diff }: TypeContext, place: Place, wanted: Wanted): Promise<Plan> {
  const first = place.missing ?? place.path;
  await mayWriteIn(files, path.dirname(first));
  const made: { readonly at: string; readonly after: Attributes }[] = [];
  let parent: Attributes | undefined = await files.entry(path.dirname(first));
  const names = path.relative(first, place.path).split("/").filter(Boolean);
  for (let at = first; at !== place.path; at = path.join(at, names.shift()!)) {
    parent = freshAttributes("directory", false, parent);
    made.push({ at, after: parent });
  }
  const fresh = freshAttributes("directory", false, parent);
  const after = withWanted(fresh, wanted);
  mayBecome(fresh, after);
  made.push({ at: place.path, after });
  return {
    actions: ["create"],
    ...(diff ? { diff: capped(made.map(({ at }) => `created: ${at}\n`)) } : {}),
    foresee() {
      for (const { at, after } of made) files.foresee(at, { ...after, kind: "directory", fresh: true });
    },
    async apply() {
      for (const { at, after } of made) await makeFolder(at, after);
      await syncFolder(path.dirname(first));
      return ["create"];
    },
  };
}

/** Not a moment more open than it shall be in the end. */
export async function makeFolder(at: string, after: Attributes): Promise<void> {
  try {
    const own = after.uid === process.geteuid?.() && after.gid === process.getegid?.();
    await mkdir(at, after.mode & (own ? 0o777 : 0o700));
    const { mode, uid, gid } = await lstat(at);
    await setAttributes(at, { kind: "directory", mode: mode & 0o7777, uid, gid }, after);
  } catch (error) {
    throw refuse(`${at} can't be made`, error);
  }
}

async function planAttributes(
  context: TypeContext,
  at: string,
  entry: Entry,
  wanted: Wanted,
  recursive: boolean,
): Promise<Plan> {
  const { files } = context;
  const set: (Found & { readonly after: Attributes })[] = [];
  const changes = new Set<string>();
  const lines: string[] = [];
  const consider = async (found: Found) => {
    // The mode of a link means nothing.
    const asked = found.entry.kind === "link" ? { ...wanted, mode: undefined } : wanted;
    const differing = attributeChanges(found.entry, asked);
    if (differing.length === 0) return;
    const after = withWanted(found.entry, asked);
    mayBecome(found.entry, after);
    for (const change of differing) changes.add(change);
    if (context.diff) {
      const own = (await attributeDiff(found.entry, asked, files)).trimEnd().split("\n");
      lines.push(...own.map((line) => (found.at === at ? `${line}\n` : `${found.at}: ${line}\n`)));
    }
    set.push({ ...found, after });
  };
  if (recursive && Object.values(wanted).some((value) => value !== undefined))
    for await (const found of below(files, at)) await consider(found);
  await consider({ at, entry });
  if (set.length === 0) return NOTHING;
  const order = ["owner", "group", "mode"].filter((change) => changes.has(change));
  return {
    actions: order,
    ...(context.diff ? { diff: capped(lines) } : {}),
    foresee() {
      for (const found of set) files.foresee(found.at, { ...found.entry, ...found.after });
    },
    async apply() {
      const done = new Set<string>();
      for (const found of set) {
        throwIfAborted(context.signal);
        for (const change of await setAttributes(found.at, found.entry, found.after)) done.add(change);
      }
      return order.filter((change) => done.has(change));
    },
  };
}

/** Lines of a diff up to what is kept of one. */
export function capped(lines: readonly string[]): string {
  let text = "";
  for (const line of lines) {
    if (text.length + line.length > MAX_DIFF) return `${text}[the rest of the diff is left out]\n`;
    text += line;
  }
  return text;
}

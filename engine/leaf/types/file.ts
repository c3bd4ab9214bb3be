import { unlink } from "node:fs/promises";
import path from "node:path";
import type { FileOptions } from "../../vocabulary/resources.js";
import { Refusal, refuse } from "../errors.js";
import { mayReplace, mayWriteIn, mustHaveFolder } from "../files/access.js";
import { replaceFile, syncFolder } from "../files/atomic.js";
import {
  attributeChanges,
  attributeDiff,
  freshAttributes,
  mayBecome,
  mayOwn,
  OWNERSHIP_RULES,
  setAttributes,
  type Wanted,
  wantedAttributes,
  withWanted,
} from "../files/attributes.js";
import type { Attributes, Entry, Place } from "../files/files.js";
import { rules } from "../options.js";
import { NOTHING, type Plan, type ResourceType, type TypeContext } from "../type.js";
import { type Desired, desiredContent, differs, type FileEntry, type Shown, showChange } from "./content.js";

/** A file: its content and attributes, or that there is none. */
export const file: ResourceType<FileOptions> = {
  name: "file",
  options: {
    content: rules.bytes,
    source: rules.path,
    template: rules.path,
    vars: rules.vars,
    absent: rules.flag,
    overwrite: rules.flag,
    ...OWNERSHIP_RULES,
  },
  async plan(context, name, options) {
    const given = (["content", "source", "template", "absent"] as const).filter(
      (option) => options[option] !== undefined && options[option] !== false,
    );
    if (given.length > 1) throw new Refusal(`it can't have both "${given[0]}" and "${given[1]}"`);
    if (options.absent) return planAbsent(context, name);
    // A link is followed: the file that it leads to is managed, the link stays.
    const place = await context.files.resolve(name, true);
    const { entry } = place;
    if (entry && entry.kind !== "file")
      throw new Refusal(entry.kind === "directory" ? "a folder stands there" : "it is no ordinary file");
    const keep = entry !== undefined && options.overwrite === false;
    const desired = keep ? undefined : await desiredContent(context, options);
    const wanted = await wantedAttributes(options, context.files);
    if (!entry) return planCreate(context, place, desired, wanted);
    if (desired && (await differs(context.files, place.path, entry, desired)))
      return planContent(context, place.path, entry, desired, wanted);
    return planAttributes(context, place.path, entry, wanted);
  },
};

async function planAbsent({ files, diff }: TypeContext, name: string): Promise<Plan> {
  const { path: at, entry } = await files.resolve(name, false);
  if (!entry) return NOTHING;
  if (entry.kind === "directory") throw new Refusal("a folder stands there; remove it with directory()");
  await mayReplace(files, at, entry);
  const shown = diff && entry.kind === "file" ? await showChange(files, at, entry, undefined) : undefined;
  return {
    actions: ["remove"],
    ...(shown ? { diff: shown.diff } : {}),
    foresee: () => files.foresee(at, undefined),
    async apply() {
      await unlink(at).catch((error: unknown) => {
        throw refuse("it can't be removed", error);
      });
      await syncFolder(path.dirname(at));
      return ["remove"];
    },
  };
}

async function planCreate(
  context: TypeContext,
  place: Place,
  desired: Desired | undefined,
  wanted: Wanted,
): Promise<Plan> {
  if (!desired)
    throw new Refusal(
      'it does not exist, and neither "content", "source" nor "template" says what it shall hold',
    );
  const { files } = context;
  const folder = path.dirname(place.path);
  mustHaveFolder(files, place);
  await mayWriteIn(files, folder);
  const fresh = freshAttributes("file", desired.executable, await files.entry(folder));
  const after = withWanted(fresh, wanted);
  mayBecome(fresh, after);
  const shown = context.diff ? await showChange(files, place.path, undefined, desired) : undefined;
  return {
    actions: ["create"],
    ...(shown ? { diff: shown.diff } : {}),
    foresee: () => files.foresee(place.path, foreseen(desired, after, shown)),
    async apply() {
      await write(context, place.path, undefined, desired, after);
      return ["create"];
    },
  };
}

async function planContent(
  context: TypeContext,
  at: string,
  entry: FileEntry,
  desired: Desired,
  wanted: Wanted,
): Promise<Plan> {
  const { files } = context;
  await mayReplace(files, at, entry);
  const after = withWanted(entry, wanted);
  mayBecome(entry, after);
  // It becomes a new file of this user's, which then gets the old one's owner and group.
  mayOwn(freshAttributes("file", false, await files.entry(path.dirname(at))), after);
  const changes = ["content", ...attributeChanges(entry, wanted)];
  const shown = context.diff ? await showChange(files, at, entry, desired) : undefined;
  return {
    actions: changes,
    ...(shown ? { diff: shown.diff + (await attributeDiff(entry, wanted, files)) } : {}),
    foresee: () => files.foresee(at, foreseen(desired, after, shown)),
    async apply() {
      await write(context, at, entry, desired, after);
      return changes;
    },
  };
}

async function planAttributes(
  { files, diff }: TypeContext,
  at: string,
  entry: FileEntry,
  wanted: Wanted,
): Promise<Plan> {
  const changes = attributeChanges(entry, wanted);
  if (changes.length === 0) return NOTHING;
  const after = withWanted(entry, wanted);
  mayBecome(entry, after);
  return {
    actions: changes,
    ...(diff ? { diff: await attributeDiff(entry, wanted, files) } : {}),
    foresee: () => files.foresee(at, { ...entry, ...after }),
    apply: () => setAttributes(at, entry, after),
  };
}

function foreseen(desired: Desired, after: Attributes, shown: Shown | undefined): Entry {
  const bytes = shown?.after ? { bytes: shown.after } : {};
  return { ...after, kind: "file", size: desired.size, content: { hash: desired.hash, ...bytes } };
}

function write(
  { signal }: TypeContext,
  at: string,
  before: FileEntry | undefined,
  desired: Desired,
  attributes: Attributes,
): Promise<void> {
  return replaceFile({ path: at, before, attributes, content: desired.stream(before === undefined), signal });
}

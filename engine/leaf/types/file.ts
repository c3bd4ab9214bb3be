import { unlink } from "node:fs/promises";
import path from "node:path";
import type { FileOptions, FileResult } from "../../vocabulary/resources.js";
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
import { backupName, keepCopy } from "../files/backup.js";
import type { Attributes, Place } from "../files/files.js";
import { rules } from "../options.js";
import { withLastLine } from "../process/execute.js";
import { NOTHING, type Plan, type ResourceType, type TypeContext } from "../type.js";
import type { UrlDownload } from "../url.js";
import { type Desired, desiredContent, differs, type FileEntry, foreseen, showChange } from "./content.js";

/** A file: its content and attributes, or that there is none. */
export const file: ResourceType<FileOptions, FileResult> = {
  name: "file",
  options: {
    content: rules.bytes,
    source: rules.path,
    template: rules.path,
    url: rules.url,
    checksum: rules.checksum,
    vars: rules.vars,
    absent: rules.flag,
    overwrite: rules.flag,
    backup: rules.flag,
    validate: rules.text,
    ...OWNERSHIP_RULES,
  },
  async plan(context, name, options) {
    const given = (["content", "source", "template", "url", "absent"] as const).filter(
      (option) => options[option] !== undefined && options[option] !== false,
    );
    if (given.length > 1) throw new Refusal(`it can't have both "${given[0]}" and "${given[1]}"`);
    if (options.checksum !== undefined && options.url === undefined)
      throw new Refusal('"checksum" goes with "url" only');
    if (options.validate !== undefined && !options.validate.includes("%s"))
      throw new Refusal('the command "validate" must name the file to look at as %s');
    if (options.absent) return planAbsent(context, name, options.backup ?? false);
    // A link is followed: the file that it leads to is managed, the link stays.
    const place = await context.files.resolve(name, true);
    const { entry } = place;
    if (entry && entry.kind !== "file")
      throw new Refusal(entry.kind === "directory" ? "a folder stands there" : "it is no ordinary file");
    const keep = entry !== undefined && options.overwrite === false;
    const desired = keep ? undefined : await desiredOf(context, place, options);
    const wanted = await wantedAttributes(options, context.files);
    if (!entry) return planCreate(context, place, desired, wanted, options);
    if (desired && (await differs(context.files, place.path, entry, desired)))
      return planContent(context, place.path, entry, desired, wanted, options);
    return planAttributes(context, place.path, entry, wanted);
  },
};

/** Undefined where what stands there is left alone, or known to be what it shall be. */
async function desiredOf(
  context: TypeContext,
  place: Place,
  options: FileOptions,
): Promise<Desired | undefined> {
  if (options.url === undefined) return desiredContent(context, options);
  const { desiredFrom } = (await context.parts.load("files")) as unknown as UrlDownload;
  return desiredFrom(context, options.url, options.checksum, place);
}

async function planAbsent(
  { files, diff }: TypeContext,
  name: string,
  keeps: boolean,
): Promise<Plan<FileResult>> {
  const { path: at, entry } = await files.resolve(name, false);
  if (!entry) return NOTHING;
  if (entry.kind === "directory") throw new Refusal("a folder stands there; remove it with directory()");
  await mayReplace(files, at, entry);
  const shown = diff && entry.kind === "file" ? await showChange(files, at, entry, undefined) : undefined;
  const backup = keeps && entry.kind === "file" ? backupName(at) : undefined;
  const actions = backup === undefined ? ["remove"] : ["backup", "remove"];
  return {
    actions,
    ...(shown ? { diff: shown.diff } : {}),
    extra: () => backed(backup),
    foresee() {
      if (backup !== undefined) files.foresee(backup, entry);
      files.foresee(at, undefined);
    },
    async apply() {
      if (backup !== undefined) await keepCopy(at, backup);
      await unlink(at).catch((error: unknown) => {
        throw refuse("it can't be removed", error);
      });
      await syncFolder(path.dirname(at));
      return actions;
    },
  };
}

async function planCreate(
  context: TypeContext,
  place: Place,
  desired: Desired | undefined,
  wanted: Wanted,
  options: FileOptions,
): Promise<Plan<FileResult>> {
  if (!desired)
    throw new Refusal(
      'it does not exist, and neither "content", "source", "template" nor "url" says what it shall hold',
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
      await write(context, place.path, undefined, desired, after, options);
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
  options: FileOptions,
): Promise<Plan<FileResult>> {
  const { files } = context;
  await mayReplace(files, at, entry);
  const after = withWanted(entry, wanted);
  mayBecome(entry, after);
  // It becomes a new file of this user's, which then gets the old one's owner and group.
  mayOwn(freshAttributes("file", false, await files.entry(path.dirname(at))), after);
  const backup = options.backup ? backupName(at) : undefined;
  const changes = [
    ...(backup === undefined ? [] : ["backup"]),
    "content",
    ...attributeChanges(entry, wanted),
  ];
  const shown = context.diff ? await showChange(files, at, entry, desired) : undefined;
  return {
    actions: changes,
    ...(shown ? { diff: shown.diff + (await attributeDiff(entry, wanted, files)) } : {}),
    extra: () => backed(backup),
    foresee() {
      if (backup !== undefined) files.foresee(backup, entry);
      files.foresee(at, foreseen(desired, after, shown));
    },
    async apply() {
      await write(context, at, entry, desired, after, options, backup);
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

const backed = (backup: string | undefined) => (backup === undefined ? {} : { backup });

function write(
  context: TypeContext,
  at: string,
  before: FileEntry | undefined,
  desired: Desired,
  attributes: Attributes,
  { validate }: FileOptions,
  backup?: string,
): Promise<void> {
  return replaceFile({
    path: at,
    before,
    attributes,
    content: desired.stream(before === undefined),
    signal: context.signal,
    modified: desired.modified,
    backup,
    ...(validate === undefined ? {} : { validate: (temporary) => judge(context, validate, temporary) }),
  });
}

/** Lets a command look at the new content before it takes the old one's place. */
async function judge(context: TypeContext, command: string, at: string): Promise<void> {
  const whole = command.split("%s").join(`'${at.replace(/'/g, "'\\''")}'`);
  const { rc, stdout, stderr } = await context.exec("/bin/sh", ["-c", whole], { accept: "any" });
  if (rc === 0) return;
  const said = stderr.trim() || stdout.trim();
  // The last line is in the error; nginx and others tell the cause before it.
  if (said.includes("\n")) await context.output("stderr", `${said}\n`);
  const failed = `the new content is not put in place, since \`${command}\` ended with status ${rc}`;
  throw new Refusal(withLastLine(failed, said));
}

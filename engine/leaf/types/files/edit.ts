import type { EditOptions, FileOptions, FileResult } from "../../../vocabulary/resources.js";
import { Refusal } from "../../errors.js";
import { OWNERSHIP_RULES } from "../../files/attributes.js";
import { either, oneOf, rules } from "../../options.js";
import type { Plan, TypeContext } from "../../type.js";
import { file } from "../file.js";

/** Rules of the options that all edits of a file take. */
export const EDIT_RULES = {
  create: rules.flag,
  backup: rules.flag,
  validate: rules.text,
  after: rules.pattern,
  before: either(oneOf("start"), rules.pattern),
  absent: rules.flag,
  ...OWNERSHIP_RULES,
} as const;

/** Where something new goes. */
export interface Position {
  readonly after?: string | RegExp | undefined;
  readonly before?: string | RegExp | undefined;
}

/** A text file's lines, without their ends. */
export interface Lines {
  readonly lines: readonly string[];
  /** "\r\n" where the file has it */
  readonly end: string;
  /** Whether the last line has an end */
  readonly ended: boolean;
}

/** Plans a file with its content edited; the file itself is the wing's to put in place. */
export async function planEdit(
  context: TypeContext,
  name: string,
  options: EditOptions & Position & { absent?: boolean },
  edit: (lines: readonly string[]) => readonly string[],
): Promise<Plan<FileResult>> {
  if (options.after !== undefined && options.before !== undefined)
    throw new Refusal('it can\'t have both "after" and "before"');
  const { create, backup, validate, owner, group, mode, absent } = options;
  const content = await textOf(context, name);
  if (content === undefined && !create && !absent)
    throw new Refusal('it does not exist; "create: true" makes it');
  const old = split(content ?? "");
  const made = edit(old.lines);
  const given: FileOptions = {};
  if (content === undefined ? !absent : !same(made, old.lines)) given.content = join({ ...old, lines: made });
  if (backup !== undefined) given.backup = backup;
  if (validate !== undefined) given.validate = validate;
  if (owner !== undefined) given.owner = owner;
  if (group !== undefined) given.group = group;
  if (mode !== undefined) given.mode = mode;
  // Nothing to take out of a file that isn't there.
  if (content === undefined && absent) given.absent = true;
  return file.plan(context, name, given, undefined);
}

async function textOf(context: TypeContext, name: string): Promise<string | undefined> {
  const { path, entry } = await context.files.resolve(name, true);
  if (!entry) return undefined;
  if (entry.kind !== "file")
    throw new Refusal(entry.kind === "directory" ? "a folder stands there" : "it is no ordinary file");
  const bytes = await context.files.read(path, entry);
  if (!bytes) throw new Refusal("what it will hold is not known");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refusal("it is no text file: its bytes are no UTF-8");
  }
}

function split(text: string): Lines {
  const end = /\r\n/.test(text) && !/[^\r]\n/.test(text) ? "\r\n" : "\n";
  const lines = text.split(end);
  const ended = text === "" || text.endsWith(end);
  if (ended) lines.pop();
  return { lines, end, ended };
}

function join({ lines, end, ended }: Lines): string {
  if (lines.length === 0) return "";
  return lines.join(end) + (ended ? end : "");
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((line, index) => line === b[index]);

/** A pattern that can be asked again and again: flags that remember a place are left out. */
export const pattern = (given: string | RegExp): RegExp =>
  typeof given === "string" ? new RegExp(given) : new RegExp(given.source, given.flags.replace(/[gy]/g, ""));

/** The index before which something new goes. */
export function positionIn(lines: readonly string[], { after, before }: Position): number {
  if (before === "start") return 0;
  if (before !== undefined) {
    const test = pattern(before);
    const found = lines.findIndex((line) => test.test(line));
    return found < 0 ? lines.length : found;
  }
  if (after === undefined) return lines.length;
  const test = pattern(after);
  for (let index = lines.length; index > 0; index--) if (test.test(lines[index - 1]!)) return index;
  return lines.length;
}

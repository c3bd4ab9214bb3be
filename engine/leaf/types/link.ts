import { randomBytes } from "node:crypto";
import { rename, symlink, unlink } from "node:fs/promises";
import path from "node:path";
import type { LinkOptions } from "../../vocabulary/resources.js";
import { Refusal, refuse } from "../errors.js";
import { mayReplace, mayWriteIn, mustHaveFolder } from "../files/access.js";
import { syncFolder } from "../files/atomic.js";
import { freshAttributes } from "../files/attributes.js";
import type { Entry, Place } from "../files/files.js";
import { rules } from "../options.js";
import { NOTHING, type Plan, type ResourceType, type TypeContext } from "../type.js";

/** A symbolic link, or that there is none. */
export const link: ResourceType<LinkOptions> = {
  name: "link",
  options: { to: rules.path, absent: rules.flag, force: rules.flag },
  async plan(context, name, options) {
    if (options.absent && options.to !== undefined)
      throw new Refusal('it can\'t have both "to" and "absent"');
    const place = await context.files.resolve(name, false);
    if (options.absent) return planAbsent(context, place);
    if (options.to === undefined) throw new Refusal('it needs the option "to": what it points to');
    return planLink(context, place, options.to, options.force ?? false);
  },
};

async function planAbsent({ files, diff }: TypeContext, { path: at, entry }: Place): Promise<Plan> {
  if (!entry) return NOTHING;
  if (entry.kind !== "link")
    throw new Refusal(
      entry.kind === "directory"
        ? "a folder stands there, no link; remove it with directory()"
        : "a file stands there, no link; remove it with file()",
    );
  await mayReplace(files, at, entry);
  return {
    actions: ["remove"],
    ...(diff ? { diff: `link: ${entry.to} -> none\n` } : {}),
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

async function planLink(
  { files, diff }: TypeContext,
  place: Place,
  to: string,
  force: boolean,
): Promise<Plan> {
  const { path: at, entry } = place;
  if (entry?.kind === "link" && entry.to === to) return NOTHING;
  if (entry?.kind === "directory") throw new Refusal("a folder stands there; remove it with directory()");
  if (entry && entry.kind !== "link" && !force)
    throw new Refusal('a file stands there; "force: true" replaces it');
  mustHaveFolder(files, place);
  const folder = path.dirname(at);
  if (entry) await mayReplace(files, at, entry);
  else await mayWriteIn(files, folder);
  const action = !entry ? "create" : entry.kind === "link" ? "to" : "replace";
  const after: Entry = {
    ...freshAttributes("file", false, await files.entry(folder)),
    mode: 0o777,
    kind: "link",
    to,
  };
  const before = !entry ? "none" : entry.kind === "link" ? entry.to : "a file";
  return {
    actions: [action],
    ...(diff ? { diff: `link: ${before} -> ${to}\n` } : {}),
    foresee: () => files.foresee(at, after),
    async apply() {
      await putLink(at, to, entry !== undefined);
      return [action];
    },
  };
}

/** Where something stands it is replaced in one step, so that the name is never missing. */
export async function putLink(at: string, to: string, replaces: boolean): Promise<void> {
  const folder = path.dirname(at);
  if (!replaces) {
    await symlink(to, at).catch((error: unknown) => {
      throw refuse("it can't be made", error);
    });
    return syncFolder(folder);
  }
  const temporary = path.join(folder, `.mop-${randomBytes(9).toString("hex")}`);
  try {
    await symlink(to, temporary);
    await rename(temporary, at);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw refuse("it can't be replaced", error);
  }
  await syncFolder(folder);
}

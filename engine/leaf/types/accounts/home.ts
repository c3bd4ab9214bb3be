import { chmod, lchown, mkdir } from "node:fs/promises";
import path from "node:path";
import { Refusal, refuse } from "../../errors.js";
import type { TypeContext } from "../../type.js";
import type { Accounts } from "./database.js";
import type { Step } from "./provider.js";
import type { Account } from "./tables.js";

const SKELETON = "/etc/skel";

/** The mode of new home folders that login.defs asks for: HOME_MODE, else 0777 without UMASK. */
async function homeMode(context: Pick<TypeContext, "read">): Promise<number> {
  const text = (await context.read("/etc/login.defs").catch(() => undefined)) ?? "";
  const value = (name: string) => new RegExp(`^\\s*${name}\\s+([0-7]+)`, "m").exec(text)?.[1];
  const mode = value("HOME_MODE");
  return mode === undefined ? 0o777 & ~Number.parseInt(value("UMASK") ?? "022", 8) : Number.parseInt(mode, 8);
}

/** Makes the home folder of an account that exists, as useradd would have. */
export async function makeHome(
  context: TypeContext,
  { home }: Pick<Account, "home">,
  owner: { readonly uid: number; readonly gid: number },
): Promise<Step> {
  const mode = await homeMode(context);
  return async () => {
    try {
      await mkdir(path.dirname(home), { recursive: true });
      await mkdir(home, { mode: 0o700 });
      const skeleton = await context.files.entry(SKELETON);
      if (skeleton) await context.exec("cp", ["-RP", `${SKELETON}/.`, home]);
      await context.exec("chown", ["-hR", `${owner.uid}:${owner.gid}`, home]);
      await lchown(home, owner.uid, owner.gid);
      await chmod(home, mode);
    } catch (error) {
      throw refuse(`the home folder ${home} can't be made`, error);
    }
  };
}

/** Under --check: the home folder is there, with what is on the way to it. Looked up now, told later. */
export async function foreseenHome(
  context: TypeContext,
  home: string,
  owner: { readonly uid: number; readonly gid: number },
): Promise<() => void> {
  const { files } = context;
  const place = await files.resolve(home, true);
  if (place.entry) return () => undefined;
  const mode = await homeMode(context);
  return () => {
    for (let at = place.missing; at !== undefined && at !== place.path; ) {
      files.foresee(at, { kind: "directory", mode: 0o755, uid: 0, gid: 0, fresh: true });
      at = path.join(at, path.relative(at, place.path).split("/")[0] ?? "");
    }
    files.foresee(place.path, { kind: "directory", mode, ...owner });
  };
}

/** A home folder that goes with its account must be that account's alone. Throws a Refusal. */
export async function mayRemoveHome(context: TypeContext, accounts: Accounts, user: Account): Promise<void> {
  const home = path.normalize(user.home);
  if (home.split("/").filter(Boolean).length < 2)
    throw new Refusal(`its home is ${user.home}, which is not removed; leave "removeHome" out`);
  const within = (folder: string) => path.normalize(`${folder}/`).startsWith(`${home}/`);
  const other = accounts.users.find(({ name, home: folder }) => name !== user.name && within(folder));
  if (other)
    throw new Refusal(`its home ${user.home} holds the home of ${other.name} too; leave "removeHome" out`);
  const { entry } = await context.files.resolve(user.home, false);
  if (entry && entry.uid !== user.uid)
    throw new Refusal(`its home ${user.home} belongs to another user; leave "removeHome" out`);
}

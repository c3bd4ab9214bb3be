import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Refusal } from "../../errors.js";
import type { Files, Place } from "../../files/files.js";
import type { TypeContext } from "../../type.js";
import { type Account, findSecret, type Group, parseGroup, parsePasswd, type Secret } from "./tables.js";

export const PASSWD = "/etc/passwd";
export const GROUP = "/etc/group";
export const SHADOW = "/etc/shadow";
type Table = typeof PASSWD | typeof GROUP | typeof SHADOW;

/** The host's own accounts; under --check with those that were planned. */
export class Accounts {
  readonly #context: TypeContext;
  readonly users: readonly Account[];
  readonly groups: readonly Group[];

  private constructor(context: TypeContext, passwd: string, group: string) {
    this.#context = context;
    this.users = parsePasswd(passwd);
    this.groups = parseGroup(group);
  }

  static async read(context: TypeContext): Promise<Accounts> {
    return new Accounts(context, (await context.read(PASSWD)) ?? "", (await context.read(GROUP)) ?? "");
  }

  user(name: string): Account | undefined {
    return this.users.find((user) => user.name === name);
  }

  group(name: string): Group | undefined {
    return this.groups.find((group) => group.name === name);
  }

  /** The group that an option names, by name or id; undefined where it may have been made by what was not run. */
  wantedGroup(wanted: string | number): Group | undefined {
    const byName = typeof wanted === "string" ? this.group(wanted) : undefined;
    const found =
      byName ??
      (/^\d+$/.test(String(wanted)) ? this.groups.find(({ gid }) => gid === Number(wanted)) : undefined);
    if (found || this.#context.uncertain()) return found;
    throw new Refusal(`the group "${wanted}" does not exist on this host; make it with group() before`);
  }

  groupName(gid: number): string {
    return this.groups.find((group) => group.gid === gid)?.name ?? String(gid);
  }

  /** Names of the groups that list a user as a member, sorted. */
  groupsOf(name: string): string[] {
    return this.groups
      .filter(({ members }) => members.includes(name))
      .map((group) => group.name)
      .sort();
  }

  async secret(name: string): Promise<Secret> {
    const text = await this.#context.read(SHADOW);
    if (text === undefined)
      throw new Refusal(`there is no ${SHADOW} on this host, where passwords and days of expiry stand`);
    return findSecret(text, name) ?? { password: "", expires: undefined };
  }

  /** An account that is not in the files may come from a directory, where these programs can't change it. */
  async mustNotBeElsewhere(kind: "user" | "group", name: string): Promise<void> {
    const database = kind === "user" ? "passwd" : "group";
    // A check that planned its removal before has it on disk still.
    const table = `/etc/${database}`;
    const onDisk = this.#context.files.isForeseen(table) ? await readFile(table, "utf8").catch(() => "") : "";
    if (onDisk.split("\n").some((line) => line.startsWith(`${name}:`))) return;
    const { rc, stdout } = await this.#context.exec("getent", [database, name], { accept: "any" });
    if (rc === 0 && stdout.startsWith(`${name}:`))
      throw new Refusal(
        `the ${kind} comes from a directory service: getent knows it, ${table} does not; change it there`,
      );
  }
}

/** The tables as a plan leaves them: under --check later resources find them so. */
export class PlannedTables {
  readonly #files: Files;
  readonly #tables: ReadonlyMap<Table, { readonly place: Place; readonly text: string }>;

  private constructor(
    files: Files,
    tables: ReadonlyMap<Table, { readonly place: Place; readonly text: string }>,
  ) {
    this.#files = files;
    this.#tables = tables;
  }

  static async read({ files, read }: TypeContext): Promise<PlannedTables> {
    const tables = new Map<Table, { readonly place: Place; readonly text: string }>();
    for (const table of [PASSWD, GROUP, SHADOW] as const) {
      const text = await read(table).catch(() => undefined);
      if (text !== undefined) tables.set(table, { place: await files.resolve(table, true), text });
    }
    return new PlannedTables(files, tables);
  }

  foresee(table: Table, change: (text: string) => string): void {
    const known = this.#tables.get(table);
    if (!known?.place.entry) return;
    const { mode, uid, gid } = known.place.entry;
    const bytes = Buffer.from(change(known.text));
    const hash = createHash("sha256").update(bytes).digest("hex");
    const content = { hash, bytes };
    this.#files.foresee(known.place.path, { mode, uid, gid, kind: "file", size: bytes.length, content });
  }
}

/** Throws a Refusal when what is planned is for root only, and says so before anything was done. */
export function mustBeRoot(): void {
  if ((process.geteuid?.() ?? 0) !== 0) throw new Refusal("accounts can be changed by root only");
}

export function mustBeName(kind: "user" | "group", name: string): void {
  if (!/^[A-Za-z0-9_.][A-Za-z0-9_.-]*\$?$/.test(name) || /^\d+$/.test(name) || name.length > 32)
    throw new Refusal(
      `"${name.slice(0, 40)}" can't be a ${kind}'s name; it has letters, digits, _, - and ., 32 at most, and is no number`,
    );
}

/** The first id that is free, from the end that useradd and groupadd start at. A guess that only --check needs. */
export function freeId(taken: ReadonlySet<number>, system: boolean): number {
  let id = system ? 999 : 1000;
  if (!system) for (const one of taken) if (one >= id && one < 60_000) id = one + 1;
  while (taken.has(id)) id += system ? -1 : 1;
  return id;
}

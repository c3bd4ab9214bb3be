import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { Refusal } from "../errors.js";
import type { Files } from "./files.js";

export type AccountKind = "user" | "group";

const TABLE = { user: "/etc/passwd", group: "/etc/group" } as const;
const DATABASE = { user: "passwd", group: "group" } as const;

/** Ids of accounts that may be made by what a check did not run: above all that hosts give */
const UNKNOWN = 0xfff0_0000;

/**
 * The numeric id of a user or group; a number, or digits that name nobody, is an id already. With `files`, those that
 * a check planned are known too.
 */
export async function accountId(kind: AccountKind, account: string | number, files?: Files): Promise<number> {
  if (typeof account === "number") return account;
  const found = (await fromTable(kind, account, files)) ?? (await fromGetent(kind, account));
  if (found !== undefined) return found;
  if (/^\d+$/.test(account)) return Number(account);
  if (files?.uncertain) return guess(files, `${kind} ${account}`);
  throw new Refusal(`the ${kind} "${account}" does not exist on this host`);
}

/** A user's or group's name, or the id as text when it has none; for diffs. */
export async function accountName(kind: AccountKind, id: number, files?: Files): Promise<string> {
  for (const fields of await table(kind, files)) if (fields[2] === String(id)) return fields[0] ?? String(id);
  for (const [name, guessed] of files?.guesses ?? []) if (guessed === id) return name.slice(kind.length + 1);
  return String(id);
}

function guess({ guesses }: Files, name: string): number {
  const id = guesses.get(name) ?? UNKNOWN + guesses.size;
  guesses.set(name, id);
  return id;
}

async function table(kind: AccountKind, files?: Files): Promise<string[][]> {
  const at = TABLE[kind];
  const planned = files?.isForeseen(at) ? await files.entry(at) : undefined;
  const bytes = planned?.kind === "file" ? await files?.read(at, planned) : undefined;
  const text = bytes ? Buffer.from(bytes).toString("utf8") : await readFile(at, "utf8").catch(() => "");
  return text.split("\n").map((line) => line.split(":"));
}

async function fromTable(kind: AccountKind, name: string, files?: Files): Promise<number | undefined> {
  for (const fields of await table(kind, files)) if (fields[0] === name) return idOf(fields);
  return undefined;
}

/** Accounts that a directory service knows. */
function fromGetent(kind: AccountKind, name: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    execFile("getent", [DATABASE[kind], name], { timeout: 10_000 }, (error, stdout) =>
      resolve(error ? undefined : idOf(stdout.split(":"))),
    );
  });
}

function idOf(fields: readonly string[]): number | undefined {
  const id = fields[2] ?? "";
  return /^\d+$/.test(id) ? Number(id) : undefined;
}

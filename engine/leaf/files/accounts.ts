import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { Refusal } from "../errors.js";

export type AccountKind = "user" | "group";

const TABLE = { user: "/etc/passwd", group: "/etc/group" } as const;
const DATABASE = { user: "passwd", group: "group" } as const;

/** The numeric id of a user or group; a number, or digits that name nobody, is an id already. */
export async function accountId(kind: AccountKind, account: string | number): Promise<number> {
  if (typeof account === "number") return account;
  const found = (await fromTable(kind, account)) ?? (await fromGetent(kind, account));
  if (found !== undefined) return found;
  if (/^\d+$/.test(account)) return Number(account);
  throw new Refusal(`the ${kind} "${account}" does not exist on this host`);
}

/** A user's or group's name, or the id as text when it has none; for diffs. */
export async function accountName(kind: AccountKind, id: number): Promise<string> {
  for (const fields of await table(kind)) if (fields[2] === String(id)) return fields[0] ?? String(id);
  return String(id);
}

async function table(kind: AccountKind): Promise<string[][]> {
  const text = await readFile(TABLE[kind], "utf8").catch(() => "");
  return text.split("\n").map((line) => line.split(":"));
}

async function fromTable(kind: AccountKind, name: string): Promise<number | undefined> {
  for (const fields of await table(kind)) if (fields[0] === name) return idOf(fields);
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

import type { Rule } from "../../../vocabulary/types.js";
import { Refusal } from "../../errors.js";
import { bare, isLocked } from "./tables.js";

/** Takes anything: the error of a rule quotes the value, which must not be shown here. `mustBeHash` looks at it. */
export const hiddenRule: Rule = { expected: "a password's hash", test: () => true };

/** Throws a Refusal for what is no hash; it does not repeat it. */
export function mustBeHash(password: unknown): void {
  if (password === undefined) return;
  const good =
    typeof password === "string" &&
    /^(\*|!*(\$[A-Za-z0-9-]+\$[^:\s]+|_?[./A-Za-z0-9]{13,20})|!+\*?)$/.test(password);
  if (!good)
    throw new Refusal(
      'the option "password" must be a hash as /etc/shadow has it ("$6$...", made by `openssl passwd -6`), or "*" for none',
    );
}

/** Whether a stored field has a password that can be locked and unlocked. */
const isReal = (password: string): boolean => bare(password) !== "" && bare(password) !== "*";

export interface PasswordChange {
  /** The whole field as it shall stand in /etc/shadow */
  readonly field: string;
  readonly password: boolean;
  /** Whether the lock changes, and to what */
  readonly locked?: boolean;
}

/** No password at all, however it is written; an empty field is another matter, since it lets everybody in. */
const secretOf = (field: string): string => (isReal(field) ? bare(field) : field === "" ? "open" : "none");

export interface PasswordOptions {
  readonly password?: string | undefined;
  readonly keepPassword?: boolean | undefined;
  readonly locked?: boolean | undefined;
}

/** A new account has it: nobody can log in with a password. */
export const FRESH = "!";

/** What becomes of a password field; undefined: nothing. */
export function passwordChange(
  now: string,
  { password, keepPassword, locked }: PasswordOptions,
): PasswordChange | undefined {
  const given = keepPassword ? undefined : password;
  if (given === undefined && locked === undefined) return undefined;
  // "!" alone is how an account without a password is made; a lock on a real one is somebody's decision.
  const keepsLock = isLocked(now) && isReal(now);
  const lock = locked ?? (isLocked(given ?? "") || keepsLock);
  const changed = given !== undefined && secretOf(given) !== secretOf(now);
  const locks = lock !== isLocked(now) && (locked !== undefined || !changed);
  if (!changed && !locks) return undefined;
  const secret = bare(given ?? now);
  // Without a password, "*" is what is not locked: an empty field would let everybody in.
  return {
    field: lock ? `!${secret}` : secret === "" ? "*" : secret,
    password: changed,
    ...(locks ? { locked: lock } : {}),
  };
}

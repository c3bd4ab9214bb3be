import { expect, test } from "vitest";
import type { TypeContext } from "../../../../../engine/leaf/type.js";
import {
  mustBeHash,
  type PasswordOptions,
  passwordChange,
} from "../../../../../engine/leaf/types/accounts/password.js";
import { setPassword } from "../../../../../engine/leaf/types/accounts/user-change.js";
import { HASH, OTHER_HASH } from "./hosts.js";

/** The field in /etc/shadow, what is asked for, the field afterwards (undefined: as it is), and the second time again. */
test.each<[string, PasswordOptions, string | undefined]>([
  [HASH, {}, undefined],
  [HASH, { password: HASH }, undefined],
  [HASH, { password: OTHER_HASH }, OTHER_HASH],
  [HASH, { password: OTHER_HASH, keepPassword: true }, undefined],
  [HASH, { locked: true }, `!${HASH}`],
  [HASH, { locked: false }, undefined],
  [HASH, { password: OTHER_HASH, locked: true }, `!${OTHER_HASH}`],
  [HASH, { password: `!${OTHER_HASH}` }, `!${OTHER_HASH}`],
  [HASH, { password: "*" }, "*"],
  [`!${HASH}`, { locked: false }, HASH],
  [`!${HASH}`, { password: HASH }, undefined],
  [`!${HASH}`, { password: OTHER_HASH }, `!${OTHER_HASH}`],
  [`!${HASH}`, { password: OTHER_HASH, locked: false }, OTHER_HASH],
  [`!${HASH}`, { password: HASH, keepPassword: true, locked: false }, HASH],
  ["!", { locked: false }, "*"],
  ["!", { locked: true }, undefined],
  ["!", { password: HASH }, HASH],
  ["!", { password: HASH, locked: true }, `!${HASH}`],
  ["!!", { password: HASH }, HASH],
  ["!*", { locked: false }, "*"],
  ["*", { locked: true }, "!*"],
  ["*", { password: "*" }, undefined],
  ["*", { password: HASH }, HASH],
  ["", { password: "*" }, "*"],
  ["", { locked: true }, "!"],
  ["", {}, undefined],
])("the field %j with %j becomes %j", (now, options, field) => {
  expect(passwordChange(now, options)?.field).toBe(field);
  expect(passwordChange(field ?? now, options)).toBeUndefined();
});

test.each(["hunter2", "", "$6$a:b", "x\ny", 12345, ["x"], "$1$", `${HASH} `])(
  "%j is no hash, and is not repeated",
  (password) => {
    const refused = () => mustBeHash(password);
    expect(refused).toThrow(/^the option "password" must be a hash as \/etc\/shadow has it/);
    if (String(password) !== "") expect(refused).not.toThrow(String(password));
  },
);

test.each([
  HASH,
  OTHER_HASH,
  `!${HASH}`,
  "*",
  "!",
  "!*",
  "!!",
  "abJnggxhB/yWI",
  "$2b$12$abcdefghijklmnopqrstuv",
])("%j may stand in /etc/shadow", (password) => expect(() => mustBeHash(password)).not.toThrow());

test("a password goes to chpasswd over stdin, and is no argument", async () => {
  const calls: unknown[] = [];
  const exec = async (...call: unknown[]) => void calls.push(call);
  await setPassword({ exec } as unknown as TypeContext, "alice", HASH);
  expect(calls).toEqual([["chpasswd", ["-e"], { stdin: `alice:${HASH}\n` }]]);
});

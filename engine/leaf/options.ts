import { types } from "node:util";
import type { OptionRules, Rule } from "../vocabulary/types.js";
import { Refusal } from "./errors.js";

export type { OptionRules, Rule } from "../vocabulary/types.js";

const rule = (expected: string, test: (value: unknown) => boolean): Rule => ({ expected, test });
const isString = (value: unknown): value is string => typeof value === "string";
const isPlain = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !types.isUint8Array(value);
const isPattern = (value: unknown): boolean => {
  if (types.isRegExp(value)) return true;
  if (!isString(value)) return false;
  try {
    new RegExp(value);
    return true;
  } catch {
    return false;
  }
};
const hasNoNul = (text: string): boolean => !text.includes("\0");

/** 644 or 755 where 0o644 or 0o755 is meant; as bits they would be nonsense with the sticky bit (0o1204, 0o1363). */
const looksOctal = (mode: number): boolean =>
  mode >= 0o1000 && mode <= 777 && /^[0-7]{3}$/.test(String(mode));

export const rules = {
  text: rule("a string", (value) => isString(value) && hasNoNul(value)),
  bytes: rule("a string or a Uint8Array", (value) => isString(value) || types.isUint8Array(value)),
  path: rule("a path", (value) => isString(value) && value !== "" && hasNoNul(value)),
  url: rule(
    "an http:// or https:// address",
    (value) => isString(value) && /^https?:\/\/[^/\s]/.test(value) && hasNoNul(value),
  ),
  checksum: rule(
    'a SHA-256 as 64 hex digits, with or without "sha256:" in front',
    (value) => isString(value) && /^(sha256:)?[0-9a-f]{64}$/i.test(value),
  ),
  flag: rule("true or false", (value) => typeof value === "boolean"),
  seconds: rule(
    "a number of seconds above 0",
    (value) => typeof value === "number" && value > 0 && value <= 2_000_000,
  ),
  account: rule(
    "a name or a numeric id",
    (value) =>
      (isString(value) && value !== "" && hasNoNul(value)) || (Number.isInteger(value) && Number(value) >= 0),
  ),
  mode: rule(
    'permission bits such as 0o644 or "0644"',
    (value) =>
      (Number.isInteger(value) &&
        Number(value) >= 0 &&
        Number(value) <= 0o7777 &&
        !looksOctal(Number(value))) ||
      (isString(value) &&
        /^(0o)?[0-7]{3,5}$/.test(value) &&
        Number.parseInt(value.replace(/^0o/, ""), 8) <= 0o7777),
  ),
  count: rule("a whole number from 0 up", (value) => Number.isInteger(value) && Number(value) >= 0),
  port: rule(
    "a port from 1 to 65535",
    (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535,
  ),
  pattern: rule("a regular expression", (value) => isPattern(value)),
  list: rule("a list of strings", (value) => Array.isArray(value) && value.every(isString)),
  decision: rule(
    "true, false or a function of the result",
    (value) => typeof value === "boolean" || typeof value === "function",
  ),
  vars: rule("an object of variables", isPlain),
  test: rule("a function of the result", (value) => typeof value === "function"),
  environment: rule(
    "an object of strings",
    (value) =>
      isPlain(value) &&
      Object.entries(value).every(
        ([name, item]) => /^[^=\0]+$/.test(name) && isString(item) && hasNoNul(item),
      ),
  ),
} as const;

/** Options that every type takes. */
export const COMMON_RULES = {
  ignoreErrors: rules.flag,
  changedWhen: rules.decision,
  failedWhen: rules.decision,
  timeout: rules.seconds,
  tags: rules.list,
  as: rule("a user's name", (value) => isString(value) && /^[^-\s'"\\][^\s'"\\]*$/.test(value)),
  retries: rules.count,
  delay: rule(
    "a number of seconds from 0 up",
    (value) => typeof value === "number" && value >= 0 && value <= 2_000_000,
  ),
  until: rules.test,
} as const;

/** What types with several providers take too. */
export const PROVIDER_RULES = { provider: rules.text } as const;

/** One of these texts. */
export const oneOf = (...texts: readonly string[]): Rule =>
  rule(`one of ${texts.map((text) => JSON.stringify(text)).join(", ")}`, (value) =>
    texts.includes(value as string),
  );

/** What either rule takes. */
export const either = (a: Rule, b: Rule): Rule =>
  rule(`${a.expected} or ${b.expected}`, (value) => a.test(value) || b.test(value));

/** Throws a Refusal for the first option that is unknown or of the wrong kind. An undefined option is none. */
export function checkOptions(options: unknown, own: OptionRules<object>): void {
  if (!isPlain(options)) throw new Refusal(`its options must be an object, not ${kindOf(options)}`);
  const known = new Map<string, Rule>(Object.entries({ ...own, ...COMMON_RULES }));
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const found = known.get(name);
    if (!found)
      throw new Refusal(`it has no option "${name}"; its options are ${[...known.keys()].join(", ")}`);
    if (!found.test(value))
      throw new Refusal(`the option "${name}" must be ${found.expected}, not ${kindOf(value)}`);
  }
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (types.isUint8Array(value)) return "bytes";
  if (typeof value === "string")
    // Not its beginning: half a secret is not recognized as one any more
    return value.length > 40 ? `a text of ${value.length} characters` : JSON.stringify(value);
  if (typeof value === "number") return String(value);
  if (typeof value === "boolean") return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

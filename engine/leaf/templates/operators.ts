import { ValueError } from "./errors.js";
import { compare, contains, defined, equal, kindOf, textOf } from "./values.js";

/** Most characters or items that one operator or filter may make: a slip must not fill the host's memory. */
export const MAX_SIZE = 16 * 1024 * 1024;

/** Arithmetic as Python has it. Throws ValueError. */
export function arithmetic(operator: string, left: unknown, right: unknown): unknown {
  const a = defined(left);
  const b = defined(right);
  if (operator === "~") return textOf(a) + textOf(b);
  if (operator === "+" && typeof a === "string" && typeof b === "string") return a + b;
  if (operator === "+" && Array.isArray(a) && Array.isArray(b))
    return [...(a as unknown[]), ...(b as unknown[])];
  if (operator === "*" && (typeof a === "string" || Array.isArray(a)) && typeof b === "number")
    return repeated(a, b);
  if (!isNumeric(a) || !isNumeric(b))
    throw new ValueError(`"${operator}" does not work on ${kindOf(a)} and ${kindOf(b)}`);
  return calculate(operator, Number(a), Number(b));
}

const isNumeric = (value: unknown): boolean => typeof value === "number" || typeof value === "boolean";

function repeated(value: string | unknown[], times: number): unknown {
  const count = Math.max(0, Math.floor(times));
  if (value.length * count > MAX_SIZE) throw new ValueError("the result would be too large");
  if (typeof value === "string") return value.repeat(count);
  return Array.from({ length: count }, () => value).flat();
}

function calculate(operator: string, a: number, b: number): number {
  if (b === 0 && ["/", "//", "%"].includes(operator)) throw new ValueError("division by zero");
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "//":
      return Math.floor(a / b);
    case "%":
      return a - b * Math.floor(a / b);
    default:
      return a ** b;
  }
}

export function comparison(operator: string, left: unknown, right: unknown): boolean {
  const a = defined(left);
  const b = defined(right);
  switch (operator) {
    case "==":
      return equal(a, b);
    case "!=":
      return !equal(a, b);
    case "in":
      return contains(b, a);
    case "not in":
      return !contains(b, a);
    case "<":
      return compare(a, b) < 0;
    case "<=":
      return compare(a, b) <= 0;
    case ">":
      return compare(a, b) > 0;
    default:
      return compare(a, b) >= 0;
  }
}

/** `of[from:to:step]` of a list or a text, as Python has it. */
export function slice(of: unknown, bounds: readonly unknown[]): unknown {
  const given = defined(of);
  if (typeof given !== "string" && !Array.isArray(given))
    throw new ValueError(`${kindOf(given)} can't be sliced`);
  const [from, to, step] = bounds.map((bound) => {
    if (bound === undefined || bound === null) return undefined;
    if (typeof bound !== "number" || !Number.isInteger(bound))
      throw new ValueError("a slice needs whole numbers");
    return bound;
  });
  const by = step ?? 1;
  if (by === 0) throw new ValueError("a slice's step can't be 0");
  const { length } = given;
  const clamp = (bound: number, low: number, high: number) =>
    Math.min(high, Math.max(low, bound < 0 ? bound + length : bound));
  const first =
    from === undefined
      ? by > 0
        ? 0
        : length - 1
      : clamp(from, by > 0 ? 0 : -1, by > 0 ? length : length - 1);
  const end =
    to === undefined ? (by > 0 ? length : -1) : clamp(to, by > 0 ? 0 : -1, by > 0 ? length : length - 1);
  const picked: unknown[] = [];
  for (let at = first; by > 0 ? at < end : at > end; at += by) picked.push(given[at]);
  return typeof given === "string" ? picked.join("") : picked;
}

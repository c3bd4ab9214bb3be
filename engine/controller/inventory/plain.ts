import { TomlDate } from "smol-toml";
import type { Value } from "../../../transport/types.js";
import { PolicyError } from "../policy-error.js";

const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);
const MAX_DEPTH = 24;

/**
 * Data as it can travel to a host: dates become ISO text, undefined members vanish; anything with behaviour is an
 * error that names `where` (as "role web: vars.port").
 */
export function plainValue(value: unknown, where: string, depth = 0): Value {
  if (depth > MAX_DEPTH)
    throw new PolicyError(`${where} is nested deeper than ${MAX_DEPTH} levels, or contains itself`);
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") return value;
  if (typeof value === "bigint") {
    if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) return Number(value);
    throw new PolicyError(`${where} is an integer that a double can't hold; write it as text`);
  }
  if (value instanceof Uint8Array) return value;
  if (value instanceof TomlDate || value instanceof Date) return value.toISOString();
  if (Array.isArray(value))
    return value.map((item, index) => plainValue(item, `${where}[${index}]`, depth + 1));
  if (isPlainObject(value)) return plainObject(value, where, depth + 1);
  const what = typeof value === "object" ? `a ${value.constructor?.name ?? "object"}` : `a ${typeof value}`;
  throw new PolicyError(`${where} is ${what}; variables are plain data, since they travel to hosts`);
}

export function plainObject(value: object, where: string, depth = 0): { [name: string]: Value } {
  const result: { [name: string]: Value } = {};
  for (const [key, member] of Object.entries(value)) {
    if (FORBIDDEN.has(key)) throw new PolicyError(`${where}.${key} is not allowed as a name`);
    if (member !== undefined) result[key] = plainValue(member, `${where}.${key}`, depth);
  }
  return result;
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Objects of another realm (a policy loaded elsewhere) have another Object.prototype, with no parent either.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

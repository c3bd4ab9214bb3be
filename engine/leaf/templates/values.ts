import { ValueError } from "./errors.js";

/** What a name that nobody gave a value stands for; anything but `default` and `is defined` refuses it. */
export class Undefined {
  /** As the template spells it: "app.port" */
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** What a template can call. `named` holds keyword arguments. */
export class Callable {
  readonly call: (positional: readonly unknown[], named: ReadonlyMap<string, unknown>) => unknown;
  /** What `loop.index` and the like are looked up in */
  readonly members: ReadonlyMap<string, unknown>;

  constructor(call: Callable["call"], members: ReadonlyMap<string, unknown> = new Map()) {
    this.call = call;
    this.members = members;
  }
}

/** What `namespace()` gives: the one thing whose members `set` may change. */
export class Namespace {
  readonly members = new Map<string, unknown>();
}

export type Dict = { readonly [key: string]: unknown };

/** Plain data only: nothing of a value's class or prototype can be seen from a template. */
export const isDict = (value: unknown): value is Dict =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array) &&
  !(value instanceof Undefined) &&
  !(value instanceof Callable) &&
  !(value instanceof Namespace);

/** Throws ValueError for what has no value. */
export function defined<T>(value: T): Exclude<T, Undefined> {
  if (value instanceof Undefined) throw new ValueError(`"${value.name}" is undefined`);
  return value as Exclude<T, Undefined>;
}

/** Object.hasOwn is younger than Node 16.0. */
const own = (dict: object, key: string): boolean => Object.getOwnPropertyDescriptor(dict, key) !== undefined;

/** `of[key]`, from the value's own data alone; undefined where there is none. */
export function memberOf(of: unknown, key: unknown): unknown {
  if (of instanceof Callable || of instanceof Namespace) return of.members.get(String(key));
  if (Array.isArray(of) || typeof of === "string") {
    if (typeof key !== "number" || !Number.isInteger(key)) return undefined;
    return of[key < 0 ? of.length + key : key] as unknown;
  }
  if (!isDict(of) || (typeof key !== "string" && typeof key !== "number")) return undefined;
  const name = String(key);
  return own(of, name) ? of[name] : undefined;
}

export function truthy(value: unknown): boolean {
  const given = defined(value);
  if (Array.isArray(given) || given instanceof Uint8Array) return given.length > 0;
  return isDict(given) ? Object.keys(given).length > 0 : Boolean(given);
}

export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a === "boolean" && typeof b === "number") return Number(a) === b;
  if (typeof b === "boolean" && typeof a === "number") return Number(b) === a;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, at) => equal(item, b[at]));
  if (!isDict(a) || !isDict(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => own(b, key) && equal(a[key], b[key]));
}

/** Negative, 0 or positive. Throws ValueError for what has no order, as Python does. */
export function compare(a: unknown, b: unknown): number {
  const order = (x: number | string, y: number | string): number => (x < y ? -1 : x > y ? 1 : 0);
  const numeric = (value: unknown) => typeof value === "number" || typeof value === "boolean";
  if (numeric(a) && numeric(b)) return Number(a) - Number(b);
  if (typeof a === "string" && typeof b === "string") return order(a, b);
  if (Array.isArray(a) && Array.isArray(b)) {
    const at = a.findIndex((item, index) => index >= b.length || !equal(item, b[index]));
    return at < 0 || at >= b.length ? a.length - b.length : compare(a[at], b[at]);
  }
  throw new ValueError(`${kindOf(a)} and ${kindOf(b)} can't be compared`);
}

/** The items of what can be gone over: a list, a text's characters, a dict's keys. */
export function items(value: unknown): readonly unknown[] {
  const given = defined(value);
  if (Array.isArray(given)) return given;
  if (typeof given === "string") return [...given];
  if (isDict(given)) return Object.keys(given);
  throw new ValueError(`${kindOf(given)} can't be gone over`);
}

export function contains(container: unknown, item: unknown): boolean {
  if (typeof container === "string" && typeof item !== "string")
    throw new ValueError(`${kindOf(item)} can't be in a text`);
  if (typeof container === "string") return container.includes(item as string);
  return items(container).some((one) => equal(one, item));
}

/** As it stands in the output: as Jinja2 under Ansible writes it. */
export function textOf(value: unknown): string {
  const given = defined(value);
  if (typeof given === "string") return given;
  return given === null ? "" : repr(given);
}

/** As Python's repr() writes it. */
export function repr(value: unknown): string {
  const given = defined(value);
  if (given === null || given === undefined) return "None";
  if (typeof given === "boolean") return given ? "True" : "False";
  if (typeof given === "number") return numberText(given);
  if (typeof given === "string") return quoted(given);
  if (Array.isArray(given)) return `[${given.map(repr).join(", ")}]`;
  if (isDict(given))
    return `{${Object.entries(given)
      .map(([key, item]) => `${quoted(key)}: ${repr(item)}`)
      .join(", ")}}`;
  throw new ValueError(`${kindOf(given)} can't be written as text`);
}

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escapes: Readonly<Record<string, string>> = {
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\\": "\\\\",
    [quote]: `\\${quote}`,
  };
  return `${quote}${text.replace(/[\n\t\r\\'"]/g, (char) => escapes[char] ?? char)}${quote}`;
}

function numberText(number: number): string {
  if (Number.isNaN(number)) return "nan";
  if (!Number.isFinite(number)) return number > 0 ? "inf" : "-inf";
  return String(number).replace(/e([-+])(\d)$/, "e$10$2");
}

export function kindOf(value: unknown): string {
  if (value === null) return "none";
  if (Array.isArray(value)) return "a list";
  if (value instanceof Uint8Array) return "a value of bytes";
  if (value instanceof Callable) return "a macro or function";
  if (value instanceof Namespace) return "a namespace";
  if (isDict(value)) return "a dict";
  return (
    ({ string: "a text", number: "a number", boolean: "a truth value" } as Record<string, string>)[
      typeof value
    ] ?? "this value"
  );
}

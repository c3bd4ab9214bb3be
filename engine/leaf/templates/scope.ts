import { ValueError } from "./errors.js";
import { Callable, isDict, Namespace } from "./values.js";

/** Names and their values; what is not here is looked for further out. */
export class Scope {
  readonly #names = new Map<string, unknown>();
  readonly #outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  /** undefined where no scope has the name */
  get(name: string): unknown {
    return this.#names.has(name) ? this.#names.get(name) : this.#outer?.get(name);
  }

  set(name: string, value: unknown): void {
    this.#names.set(name, value);
  }

  /** Names of this scope alone. */
  get own(): ReadonlyMap<string, unknown> {
    return this.#names;
  }
}

const MAX_RANGE = 1_000_000;

/** The functions that every template has, and over them its variables. */
export function rootScope(vars: { readonly [name: string]: unknown }): Scope {
  const globals = new Scope();
  globals.set("range", new Callable(range));
  globals.set("dict", new Callable((_positional, named) => Object.fromEntries(named)));
  globals.set("namespace", new Callable(namespace));
  const scope = new Scope(globals);
  for (const [name, value] of Object.entries(vars)) if (value !== undefined) scope.set(name, value);
  return scope;
}

function range(positional: readonly unknown[]): number[] {
  const numbers = positional.map((value) => {
    if (typeof value !== "number" || !Number.isInteger(value))
      throw new ValueError("range() needs whole numbers");
    return value;
  });
  const [from, to] = numbers.length < 2 ? [0, numbers[0] ?? 0] : [numbers[0]!, numbers[1]!];
  const step = numbers[2] ?? 1;
  if (step === 0) throw new ValueError("range() can't go in steps of 0");
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (length > MAX_RANGE) throw new ValueError(`range() gives ${MAX_RANGE} numbers at most`);
  return Array.from({ length }, (_, at) => from + at * step);
}

function namespace(positional: readonly unknown[], named: ReadonlyMap<string, unknown>): Namespace {
  const made = new Namespace();
  for (const dict of positional)
    if (isDict(dict)) for (const [key, value] of Object.entries(dict)) made.members.set(key, value);
  for (const [key, value] of named) made.members.set(key, value);
  return made;
}

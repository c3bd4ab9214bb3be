import { ValueError } from "../errors.js";
import { defined, kindOf, textOf } from "../values.js";

/** The arguments of one filter or test, by place or by name. */
export class Given {
  readonly positional: readonly unknown[];
  readonly named: ReadonlyMap<string, unknown>;

  constructor(positional: readonly unknown[], named: ReadonlyMap<string, unknown>) {
    this.positional = positional;
    this.named = named;
  }

  /** The argument at a place or of a name; undefined when it was not given. */
  get(at: number, name: string): unknown {
    const value = this.named.has(name) ? this.named.get(name) : this.positional[at];
    return value === undefined ? undefined : defined(value);
  }

  text(at: number, name: string, fallback?: string): string {
    const value = this.get(at, name);
    if (value !== undefined && value !== null) return textOf(value);
    if (fallback === undefined) throw new ValueError(`it needs the argument "${name}"`);
    return fallback;
  }

  number(at: number, name: string, fallback?: number): number {
    const value = this.get(at, name) ?? fallback;
    if (typeof value !== "number")
      throw new ValueError(`its argument "${name}" must be a number, not ${kindOf(value)}`);
    return value;
  }

  flag(at: number, name: string, fallback = false): boolean {
    return Boolean(this.get(at, name) ?? fallback);
  }

  withPositional(positional: readonly unknown[]): Given {
    return new Given(positional, this.named);
  }

  /** The arguments behind the first `count`, for a filter that calls another. */
  behind(count: number): Given {
    return this.withPositional(this.positional.slice(count));
  }
}

/** Throws ValueError. `value` may be Undefined only for filters that say so. */
export type Filter = (value: unknown, given: Given) => unknown;
export type Test = (value: unknown, given: Given) => boolean;

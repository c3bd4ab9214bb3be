import type { Arguments, Expression } from "./ast.js";
import { TemplateError, ValueError } from "./errors.js";
import { Given } from "./filters/given.js";
import type { Words } from "./filters/table.js";
import { methodOf } from "./methods.js";
import { arithmetic, comparison, slice } from "./operators.js";
import type { Scope } from "./scope.js";
import { Callable, defined, memberOf, truthy, Undefined } from "./values.js";

/** Filters that take a value which isn't there. */
const FORGIVING: ReadonlySet<string> = new Set(["default", "d", "mandatory"]);

/** Gives an error from an operator or filter the line where it happened. */
export function atLine<T>(line: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof ValueError ? new TemplateError(error.message, line) : error;
  }
}

/** Expressions to values. Throws TemplateError. */
export class Evaluator {
  readonly #words: Words;

  constructor(words: Words) {
    this.#words = words;
  }

  value(node: Expression, scope: Scope): unknown {
    return atLine(node.line, () => this.#value(node, scope));
  }

  /** A filter's result, for an expression or for a block's text. */
  filtered(name: string, args: Arguments, value: unknown, scope: Scope, line: number): unknown {
    return atLine(line, () => {
      const filter = this.#words.filter(name);
      const forgiving = FORGIVING.has(name);
      const given = this.#given(args, scope, forgiving);
      const input = forgiving ? value : defined(value);
      try {
        return filter(input, given);
      } catch (error) {
        if (!(error instanceof ValueError) || forgiving || / is undefined$/.test(error.message)) throw error;
        throw new ValueError(`the filter "${name}": ${error.message}`);
      }
    });
  }

  #given(args: Arguments, scope: Scope, forgiving = false): Given {
    const one = (node: Expression): unknown => {
      const value = this.value(node, scope);
      return forgiving ? value : atLine(node.line, () => defined(value));
    };
    return new Given(
      args.positional.map(one),
      new Map([...args.named].map(([name, node]) => [name, one(node)])),
    );
  }

  #value(node: Expression, scope: Scope): unknown {
    const value = (inner: Expression): unknown => this.value(inner, scope);
    switch (node.kind) {
      case "literal":
        return node.value;
      case "name":
        return scope.get(node.name) ?? this.#absent(scope, node.name);
      case "list":
        return node.items.map((item) => defined(value(item)));
      case "dict":
        return dictOf(node.pairs.map(([key, item]) => [value(key), defined(value(item))]));
      case "member":
        return this.#member(node.of, value(node.of), value(node.key));
      case "slice":
        return slice(
          value(node.of),
          [node.from, node.to, node.step].map((bound) => bound && defined(value(bound))),
        );
      case "call":
        return this.#call(node.callee, node.args, scope);
      case "filter":
        return this.filtered(node.name, node.args, value(node.of), scope, node.line);
      case "test":
        return this.#words.test(node.name)(value(node.of), this.#given(node.args, scope)) !== node.not;
      case "unary":
        return this.#unary(node.operator, value(node.of));
      case "binary":
        return this.#binary(node.operator, node.left, node.right, scope);
      case "compare":
        return this.#compare(node, scope);
      case "choice":
        if (truthy(value(node.test))) return value(node.then);
        return node.otherwise ? value(node.otherwise) : "";
    }
  }

  #absent(scope: Scope, name: string): unknown {
    // A variable may well be null.
    return scope.get(name) === null ? null : new Undefined(name);
  }

  /** Members of what is undefined are undefined, so that one `default` does for a whole path. */
  #member(of: Expression, target: unknown, key: unknown): unknown {
    if (target instanceof Undefined) return target;
    const found = memberOf(target, defined(key));
    return found === undefined ? new Undefined(`${spelled(of)}${spelledKey(key)}`) : found;
  }

  #call(callee: Expression, args: Arguments, scope: Scope): unknown {
    if (callee.kind === "member" && callee.key.kind === "literal" && typeof callee.key.value === "string") {
      const target = defined(this.value(callee.of, scope));
      const method = methodOf(target, callee.key.value);
      if (method) return method(this.#given(args, scope));
    }
    const called = this.value(callee, scope);
    if (!(defined(called) instanceof Callable)) throw new ValueError(`"${spelled(callee)}" can't be called`);
    const given = this.#given(args, scope, true);
    return (called as Callable).call(given.positional, given.named);
  }

  #unary(operator: "-" | "+" | "not", of: unknown): unknown {
    if (operator === "not") return !truthy(of);
    return operator === "-" ? arithmetic("-", 0, of) : arithmetic("+", 0, of);
  }

  #binary(operator: string, left: Expression, right: Expression, scope: Scope): unknown {
    const first = this.value(left, scope);
    if (operator === "and") return truthy(first) ? defined(this.value(right, scope)) : first;
    if (operator === "or") return truthy(first) ? first : defined(this.value(right, scope));
    return arithmetic(operator, first, this.value(right, scope));
  }

  /** `1 < x < 9` asks for both. */
  #compare(node: Expression & { readonly kind: "compare" }, scope: Scope): boolean {
    let left = this.value(node.first, scope);
    for (const { operator, with: other } of node.rest) {
      const right = this.value(other, scope);
      if (!comparison(operator, left, right)) return false;
      left = right;
    }
    return true;
  }
}

/** Without a prototype: "__proto__" is a key as any other. */
function dictOf(pairs: readonly (readonly [unknown, unknown])[]): Record<string, unknown> {
  const dict = Object.create(null) as Record<string, unknown>;
  for (const [key, value] of pairs) dict[String(defined(key))] = value;
  return dict;
}

/** As the template writes it, as far as it is names. */
function spelled(node: Expression): string {
  if (node.kind === "name") return node.name;
  if (node.kind === "member" && node.key.kind === "literal")
    return spelled(node.of) + spelledKey(node.key.value);
  if (node.kind === "call") return `${spelled(node.callee)}()`;
  return node.kind === "literal" ? JSON.stringify(node.value) : "(...)";
}

const spelledKey = (key: unknown): string =>
  typeof key === "string" && /^\w+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;

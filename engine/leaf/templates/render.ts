import type { Expression, FilterCall, MacroNode, Statement, Target } from "./ast.js";
import { inTemplate, TemplateError, ValueError } from "./errors.js";
import { atLine, Evaluator } from "./evaluate.js";
import { type Words, words } from "./filters/table.js";
import type { Library } from "./library.js";
import { loopOf } from "./loop.js";
import { MAX_SIZE } from "./operators.js";
import type { Template } from "./parse.js";
import { rootScope, Scope } from "./scope.js";
import {
  Callable,
  defined,
  items,
  kindOf,
  memberOf,
  Namespace,
  textOf,
  truthy,
  Undefined,
} from "./values.js";

/** Templates and macros within each other */
const MAX_NESTING = 64;

type Jump = "break" | "continue" | undefined;
/** A block's bodies: that of the outermost child first, its `super()` behind it */
type Blocks = Map<string, { readonly body: readonly Statement[]; readonly template: Template }[]>;

/** Where a statement stands. */
interface Place {
  readonly template: Template;
  readonly scope: Scope;
  readonly blocks: Blocks;
  readonly out: string[];
  readonly depth: number;
  /** Nothing of it is shown: the text of a template that extends another */
  readonly silent?: boolean;
}

type Of<K extends Statement["kind"]> = Extract<Statement, { kind: K }>;

/** Renders parsed templates over one set of variables. Throws TemplateError, and NotYet. */
export class Rendering {
  readonly #library: Library;
  readonly #root: Scope;
  readonly #evaluator: Evaluator;
  #nesting = 0;
  #size = 0;

  constructor(library: Library, vars: { readonly [name: string]: unknown }, known: Words = words()) {
    this.#library = library;
    this.#root = rootScope(vars);
    this.#evaluator = new Evaluator(known);
  }

  render(template: Template): string {
    const out: string[] = [];
    this.#template(template, new Scope(this.#root), out, new Map());
    return out.join("");
  }

  #template(template: Template, scope: Scope, out: string[], blocks: Blocks): void {
    this.#nested(template, () => {
      collectBlocks(template, template.body, blocks);
      const parent = template.body.find(
        (statement): statement is Of<"extends"> => statement.kind === "extends",
      );
      const place = { template, scope, blocks, out, depth: 0 };
      if (!parent) {
        this.#body(template.body, place);
        return;
      }
      this.#body(template.body, { ...place, out: [], silent: true });
      const found = this.#find(parent.template, place, parent.line);
      if (found) this.#template(found, scope, out, blocks);
    });
  }

  /** Errors say in which template they are; circles of templates and macros end. */
  #nested<T>(template: Template, work: () => T): T {
    if (++this.#nesting > MAX_NESTING) {
      this.#nesting = 0;
      throw inTemplate(
        template.name,
        () => new TemplateError("templates or macros use each other without end", 1),
      );
    }
    const result = inTemplate(template.name, work);
    this.#nesting--;
    return result;
  }

  #body(body: readonly Statement[], place: Place): Jump {
    for (const statement of body) {
      const jump = atLine(statement.line, () => this.#statement(statement, place));
      if (jump) return jump;
    }
    return undefined;
  }

  #write(text: string, { out }: Place): void {
    this.#size += text.length;
    if (this.#size > MAX_SIZE) throw new ValueError(`the output is larger than ${MAX_SIZE} characters`);
    out.push(text);
  }

  #statement(statement: Statement, place: Place): Jump {
    const { scope } = place;
    const value = (node: Expression): unknown => this.#evaluator.value(node, scope);
    switch (statement.kind) {
      case "text":
        this.#write(statement.text, place);
        return undefined;
      case "output": {
        const shown = value(statement.value);
        atLine(statement.value.line, () => this.#write(textOf(shown), place));
        return undefined;
      }
      case "if": {
        const branch = statement.branches.find(({ test }) => atLine(test.line, () => truthy(value(test))));
        return this.#body(branch ? branch.body : statement.otherwise, place);
      }
      case "for":
        this.#loop(statement, place, value(statement.over));
        return undefined;
      case "set":
        this.#set(statement, value(statement.value), scope);
        return undefined;
      case "capture":
        scope.set(
          statement.name,
          this.#through(statement.filters, this.#capture(statement.body, place), scope),
        );
        return undefined;
      case "filterBlock":
        this.#write(
          textOf(this.#through(statement.filters, this.#capture(statement.body, place), scope)),
          place,
        );
        return undefined;
      case "with": {
        const inner = new Scope(scope);
        for (const [target, node] of statement.values) assign(target, value(node), inner);
        return this.#body(statement.body, { ...place, scope: inner });
      }
      case "macro":
        scope.set(statement.macro.name, this.#macro(statement.macro, place));
        return undefined;
      case "callBlock":
        this.#write(textOf(this.#callBlock(statement, place)), place);
        return undefined;
      case "include":
        this.#include(statement, place);
        return undefined;
      case "import":
        this.#import(statement, place);
        return undefined;
      case "block":
        if (!place.silent) this.#block(statement.name, 0, place);
        return undefined;
      case "do":
        defined(value(statement.value));
        return undefined;
      case "extends":
        return undefined;
      default:
        if (place.depth === 0) throw new ValueError(`"${statement.kind}" stands outside of a loop`);
        return statement.kind;
    }
  }

  #capture(body: readonly Statement[], place: Place): string {
    const out: string[] = [];
    this.#body(body, { ...place, out, scope: new Scope(place.scope), silent: false });
    return out.join("");
  }

  #through(filters: readonly FilterCall[], text: unknown, scope: Scope): unknown {
    return filters.reduce(
      (value, { name, args, line }) => this.#evaluator.filtered(name, args, value, scope, line),
      text,
    );
  }

  #set({ target, attribute }: Of<"set">, value: unknown, scope: Scope): void {
    if (attribute === undefined) {
      assign(target, defined(value), scope);
      return;
    }
    const namespace = scope.get(target[0]!);
    if (!(namespace instanceof Namespace))
      throw new ValueError(`only a namespace() can be changed, and "${target[0]}" is ${kindOf(namespace)}`);
    namespace.members.set(attribute, defined(value));
  }

  #loop(statement: Of<"for">, place: Place, over: unknown): void {
    const { target, where, recursive, body, otherwise } = statement;
    const render = (list: readonly unknown[], depth: number, out: string[]): void => {
      const chosen = where ? list.filter((item) => this.#chosen(item, target, where, place.scope)) : list;
      const memory = { last: undefined };
      const again = (more: unknown): string => {
        const inner: string[] = [];
        this.#nested(place.template, () => render(items(more), depth + 1, inner));
        return inner.join("");
      };
      for (const [at, item] of chosen.entries()) {
        const scope = new Scope(place.scope);
        scope.set("loop", loopOf(chosen, at, depth, memory, recursive ? again : undefined));
        assign(target, item, scope);
        if (this.#body(body, { ...place, scope, out, depth: place.depth + 1 }) === "break") break;
      }
      if (chosen.length === 0) this.#body(otherwise, { ...place, out });
    };
    render(items(over), 0, place.out);
  }

  #chosen(item: unknown, target: Target, where: Expression, outer: Scope): boolean {
    const scope = new Scope(outer);
    assign(target, item, scope);
    return truthy(this.#evaluator.value(where, scope));
  }

  #macro({ name, parameters, body }: MacroNode, { template, scope: outer, blocks }: Place): Callable {
    return new Callable((positional, named) => {
      if (positional.length > parameters.length)
        throw new ValueError(
          `the macro "${name}" takes ${parameters.length} arguments at most, not ${positional.length}`,
        );
      const surplus = [...named.keys()].find(
        (key) => key !== "caller" && !parameters.some((one) => one.name === key),
      );
      if (surplus !== undefined) throw new ValueError(`the macro "${name}" has no argument "${surplus}"`);
      return this.#nested(template, () => {
        const scope = new Scope(outer);
        for (const [at, { name: parameter, fallback }] of parameters.entries()) {
          const given = at < positional.length ? positional[at] : named.get(parameter);
          const value = given ?? (given === null ? null : fallback && this.#evaluator.value(fallback, scope));
          scope.set(parameter, value === undefined ? new Undefined(parameter) : value);
        }
        if (named.has("caller")) scope.set("caller", named.get("caller"));
        const out: string[] = [];
        this.#body(body, { template, scope, blocks, out, depth: 0 });
        return out.join("");
      });
    });
  }

  #callBlock({ call, caller }: Of<"callBlock">, place: Place): unknown {
    if (call.kind !== "call") return "";
    // The block travels to the macro as one more argument.
    const scope = new Scope(place.scope);
    scope.set("caller ", this.#macro(caller, place));
    const named = new Map(call.args.named).set("caller", { kind: "name", line: call.line, name: "caller " });
    return this.#evaluator.value({ ...call, args: { ...call.args, named } }, scope);
  }

  #find(node: Expression, place: Place, line: number, ignoreMissing = false): Template | undefined {
    const names = defined(this.#evaluator.value(node, place.scope));
    const found = this.#library.find(names, place.template.name);
    if (found || ignoreMissing) return found;
    const shown = typeof names === "string" ? names : items(names).map(textOf).join('", "');
    throw new TemplateError(
      `the template "${shown}" did not come along with the role; name it in the template as a literal text, or add it to the role's "files"`,
      line,
    );
  }

  #include({ template, ignoreMissing, withContext, line }: Of<"include">, place: Place): void {
    const found = this.#find(template, place, line, ignoreMissing);
    if (!found) return;
    this.#template(found, new Scope(withContext ? place.scope : this.#root), place.out, new Map());
  }

  #import({ template, as, names, withContext, line }: Of<"import">, place: Place): void {
    const found = this.#find(template, place, line);
    if (!found) return;
    const scope = new Scope(withContext ? place.scope : this.#root);
    this.#template(found, scope, [], new Map());
    const module = new Namespace();
    for (const [name, value] of scope.own) module.members.set(name, value);
    if (as !== undefined) place.scope.set(as, module);
    for (const [name, local] of names ?? []) {
      const value = memberOf(module, name);
      if (value === undefined) throw new ValueError(`the template "${found.name}" has no "${name}"`);
      place.scope.set(local, value);
    }
  }

  #block(name: string, level: number, place: Place): void {
    const found = place.blocks.get(name)?.[level];
    if (!found) throw new ValueError(`the block "${name}" has no parent`);
    const { body, template } = found;
    this.#nested(template, () => {
      const scope = new Scope(place.scope);
      const above = (): string => {
        const out: string[] = [];
        this.#block(name, level + 1, { ...place, out });
        return out.join("");
      };
      scope.set("super", new Callable(above));
      this.#body(body, { ...place, template, scope });
    });
  }
}

function assign(target: Target, value: unknown, scope: Scope): void {
  if (target.length === 1) {
    scope.set(target[0]!, value);
    return;
  }
  const parts = items(value);
  if (parts.length !== target.length)
    throw new ValueError(`${target.length} names can't be given ${parts.length} values`);
  for (const [at, name] of target.entries()) scope.set(name, parts[at]);
}

/** Every block of a template, those within others too. */
function collectBlocks(template: Template, body: readonly Statement[], blocks: Blocks): void {
  for (const statement of body) {
    if (statement.kind === "block") {
      const known = blocks.get(statement.name) ?? [];
      blocks.set(statement.name, [...known, { body: statement.body, template }]);
    }
    if (statement.kind === "if") {
      for (const branch of statement.branches) collectBlocks(template, branch.body, blocks);
      collectBlocks(template, statement.otherwise, blocks);
    } else if ("body" in statement) collectBlocks(template, statement.body, blocks);
  }
}

/** What a template's text means. `line` counts from 1. */
export type Expression = { readonly line: number } & (
  | { readonly kind: "literal"; readonly value: string | number | boolean | null }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "list"; readonly items: readonly Expression[] }
  | { readonly kind: "dict"; readonly pairs: readonly (readonly [Expression, Expression])[] }
  | { readonly kind: "member"; readonly of: Expression; readonly key: Expression }
  | {
      readonly kind: "slice";
      readonly of: Expression;
      readonly from?: Expression;
      readonly to?: Expression;
      readonly step?: Expression;
    }
  | { readonly kind: "call"; readonly callee: Expression; readonly args: Arguments }
  | { readonly kind: "filter"; readonly of: Expression; readonly name: string; readonly args: Arguments }
  | {
      readonly kind: "test";
      readonly of: Expression;
      readonly name: string;
      readonly args: Arguments;
      readonly not: boolean;
    }
  | { readonly kind: "unary"; readonly operator: "-" | "+" | "not"; readonly of: Expression }
  | {
      readonly kind: "binary";
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: "compare";
      readonly first: Expression;
      readonly rest: readonly { readonly operator: string; readonly with: Expression }[];
    }
  | {
      readonly kind: "choice";
      readonly test: Expression;
      readonly then: Expression;
      readonly otherwise?: Expression;
    }
);

export interface Arguments {
  readonly positional: readonly Expression[];
  readonly named: ReadonlyMap<string, Expression>;
}

export interface Parameter {
  readonly name: string;
  readonly fallback?: Expression;
}

/** What a loop or `set` gives values to: one name, or several that take a list apart. */
export type Target = readonly string[];

export interface MacroNode {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly body: readonly Statement[];
}

export type Statement = { readonly line: number } & (
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "output"; readonly value: Expression }
  | {
      readonly kind: "if";
      readonly branches: readonly { readonly test: Expression; readonly body: readonly Statement[] }[];
      readonly otherwise: readonly Statement[];
    }
  | {
      readonly kind: "for";
      readonly target: Target;
      readonly over: Expression;
      readonly where?: Expression;
      readonly recursive: boolean;
      readonly body: readonly Statement[];
      readonly otherwise: readonly Statement[];
    }
  | { readonly kind: "set"; readonly target: Target; readonly attribute?: string; readonly value: Expression }
  | {
      readonly kind: "capture";
      readonly name: string;
      readonly filters: readonly FilterCall[];
      readonly body: readonly Statement[];
    }
  | {
      readonly kind: "with";
      readonly values: readonly (readonly [Target, Expression])[];
      readonly body: readonly Statement[];
    }
  | {
      readonly kind: "filterBlock";
      readonly filters: readonly FilterCall[];
      readonly body: readonly Statement[];
    }
  | { readonly kind: "macro"; readonly macro: MacroNode }
  | { readonly kind: "callBlock"; readonly call: Expression; readonly caller: MacroNode }
  | {
      readonly kind: "include";
      readonly template: Expression;
      readonly ignoreMissing: boolean;
      readonly withContext: boolean;
    }
  | {
      readonly kind: "import";
      readonly template: Expression;
      readonly as?: string;
      readonly names?: readonly (readonly [string, string])[];
      readonly withContext: boolean;
    }
  | { readonly kind: "extends"; readonly template: Expression }
  | { readonly kind: "block"; readonly name: string; readonly body: readonly Statement[] }
  | { readonly kind: "do"; readonly value: Expression }
  | { readonly kind: "break" | "continue" }
);

export interface FilterCall {
  readonly name: string;
  readonly args: Arguments;
  readonly line: number;
}

import type { Arguments, Expression, FilterCall } from "./ast.js";
import type { Tokens } from "./tokens.js";

const COMPARISONS = new Set(["==", "!=", "<", "<=", ">", ">="]);
const CONSTANTS: ReadonlyMap<string, boolean | null> = new Map([
  ["true", true],
  ["True", true],
  ["false", false],
  ["False", false],
  ["none", null],
  ["None", null],
]);
const NO_ARGUMENTS: Arguments = { positional: [], named: new Map() };

/** An expression, with Jinja's precedences: filters and tests bind closest. */
export function parseExpression(tokens: Tokens): Expression {
  const then = parseOr(tokens);
  const { line } = tokens;
  if (!tokens.take("name", "if")) return then;
  const test = parseOr(tokens);
  const otherwise = tokens.take("name", "else") ? parseExpression(tokens) : undefined;
  return { kind: "choice", line, test, then, ...(otherwise ? { otherwise } : {}) };
}

/** As what a `for` goes over: an `if` behind it belongs to the loop. */
export const parseWithoutChoice = (tokens: Tokens): Expression => parseOr(tokens);

/** A tuple without brackets is a list. */
export function parseTuple(
  tokens: Tokens,
  one: (tokens: Tokens) => Expression = parseExpression,
): Expression {
  const { line } = tokens;
  const items = [one(tokens)];
  if (!tokens.isOperator(",")) return items[0]!;
  while (tokens.take("operator", ",")) {
    if (tokens.is("end") || tokens.isOperator(")")) break;
    items.push(one(tokens));
  }
  return { kind: "list", line, items };
}

function binary(
  tokens: Tokens,
  operators: readonly string[],
  operand: (tokens: Tokens) => Expression,
): Expression {
  let left = operand(tokens);
  for (;;) {
    const { kind, value, line } = tokens.peek();
    if ((kind !== "operator" && kind !== "name") || !operators.includes(value)) return left;
    tokens.next();
    left = { kind: "binary", line, operator: value, left, right: operand(tokens) };
  }
}

const parseOr = (tokens: Tokens): Expression => binary(tokens, ["or"], parseAnd);
const parseAnd = (tokens: Tokens): Expression => binary(tokens, ["and"], parseNot);

function parseNot(tokens: Tokens): Expression {
  const { line } = tokens;
  if (tokens.take("name", "not")) return { kind: "unary", line, operator: "not", of: parseNot(tokens) };
  return parseCompare(tokens);
}

function parseCompare(tokens: Tokens): Expression {
  const { line } = tokens;
  const first = parseSum(tokens);
  const rest: { operator: string; with: Expression }[] = [];
  for (;;) {
    if (tokens.is("operator") && COMPARISONS.has(tokens.peek().value))
      rest.push({ operator: tokens.next().value, with: parseSum(tokens) });
    else if (tokens.take("name", "in")) rest.push({ operator: "in", with: parseSum(tokens) });
    else if (tokens.isWord("not") && tokens.is("name", "in", 1)) {
      tokens.next();
      tokens.next();
      rest.push({ operator: "not in", with: parseSum(tokens) });
    } else return rest.length === 0 ? first : { kind: "compare", line, first, rest };
  }
}

const parseSum = (tokens: Tokens): Expression => binary(tokens, ["+", "-"], parseConcat);
const parseConcat = (tokens: Tokens): Expression => binary(tokens, ["~"], parseProduct);
const parseProduct = (tokens: Tokens): Expression => binary(tokens, ["*", "/", "//", "%"], parsePower);
const parsePower = (tokens: Tokens): Expression => binary(tokens, ["**"], (inner) => parseUnary(inner, true));

function parseUnary(tokens: Tokens, withFilters: boolean): Expression {
  const { line, value } = tokens.peek();
  const sign = tokens.isOperator("-") || tokens.isOperator("+");
  if (sign) tokens.next();
  const inner: Expression = sign
    ? { kind: "unary", line, operator: value === "-" ? "-" : "+", of: parseUnary(tokens, false) }
    : parsePostfix(tokens, parsePrimary(tokens));
  return withFilters ? parseFilters(tokens, inner) : inner;
}

function parsePrimary(tokens: Tokens): Expression {
  const { kind, value, line } = tokens.peek();
  if (kind === "name") {
    tokens.next();
    const constant = CONSTANTS.get(value);
    return constant === undefined
      ? { kind: "name", line, name: value }
      : { kind: "literal", line, value: constant };
  }
  if (kind === "number") {
    tokens.next();
    return { kind: "literal", line, value: Number(value) };
  }
  if (kind === "string") {
    let text = "";
    while (tokens.is("string")) text += tokens.next().value;
    return { kind: "literal", line, value: text };
  }
  if (tokens.take("operator", "(")) {
    if (tokens.take("operator", ")")) return { kind: "list", line, items: [] };
    const inner = parseTuple(tokens);
    tokens.expect("operator", ")");
    return inner;
  }
  if (tokens.take("operator", "["))
    return { kind: "list", line, items: until(tokens, "]", () => parseExpression(tokens)) };
  if (tokens.take("operator", "{")) {
    const pairs = until(tokens, "}", () => {
      const key = parseExpression(tokens);
      tokens.expect("operator", ":");
      return [key, parseExpression(tokens)] as const;
    });
    return { kind: "dict", line, pairs };
  }
  throw tokens.unexpected("a value");
}

/** Items between commas, up to the closing bracket; a comma may stand behind the last. */
function until<T>(tokens: Tokens, close: string, item: () => T): T[] {
  const items: T[] = [];
  while (!tokens.take("operator", close)) {
    if (items.length > 0) {
      tokens.expect("operator", ",");
      if (tokens.take("operator", close)) break;
    }
    items.push(item());
  }
  return items;
}

function parsePostfix(tokens: Tokens, start: Expression): Expression {
  let of = start;
  for (;;) {
    const { line } = tokens;
    if (tokens.take("operator", ".")) {
      const token = tokens.next();
      if (token.kind !== "name" && token.kind !== "number") throw tokens.unexpected("a name");
      const value = token.kind === "name" ? token.value : Number(token.value);
      of = { kind: "member", line, of, key: { kind: "literal", line, value } };
    } else if (tokens.take("operator", "[")) of = parseSubscript(tokens, of, line);
    else if (tokens.isOperator("(")) of = { kind: "call", line, callee: of, args: parseArguments(tokens) };
    else return of;
  }
}

function parseSubscript(tokens: Tokens, of: Expression, line: number): Expression {
  const bounds: (Expression | undefined)[] = [];
  let slice = false;
  for (let part: Expression | undefined; ; ) {
    if (tokens.take("operator", ":")) {
      slice = true;
      bounds.push(part);
      part = undefined;
    } else if (tokens.take("operator", "]")) {
      bounds.push(part);
      break;
    } else part = parseExpression(tokens);
  }
  const [from, to, step] = bounds;
  if (!slice) {
    if (!from) throw tokens.unexpected("a value");
    return { kind: "member", line, of, key: from };
  }
  return {
    kind: "slice",
    line,
    of,
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
    ...(step ? { step } : {}),
  };
}

export function parseArguments(tokens: Tokens): Arguments {
  const positional: Expression[] = [];
  const named = new Map<string, Expression>();
  tokens.expect("operator", "(");
  until(tokens, ")", () => {
    if (tokens.is("name") && tokens.is("operator", "=", 1)) {
      const { value } = tokens.next();
      tokens.next();
      named.set(value, parseExpression(tokens));
    } else positional.push(parseExpression(tokens));
  });
  return { positional, named };
}

/** `name(arguments)` behind a "|". */
export function parseFilterCall(tokens: Tokens): FilterCall {
  const { line } = tokens;
  let { value: name } = tokens.expect("name");
  // Ansible's full names: ansible.builtin.to_json
  while (tokens.take("operator", ".")) name = tokens.expect("name").value;
  return { name, line, args: tokens.isOperator("(") ? parseArguments(tokens) : NO_ARGUMENTS };
}

function parseFilters(tokens: Tokens, start: Expression): Expression {
  let of = start;
  for (;;) {
    const { line } = tokens;
    if (tokens.take("operator", "|")) of = { kind: "filter", of, ...parseFilterCall(tokens) };
    else if (tokens.take("name", "is")) of = parseTest(tokens, of, line);
    else if (tokens.isOperator("(")) of = { kind: "call", line, callee: of, args: parseArguments(tokens) };
    else return of;
  }
}

function parseTest(tokens: Tokens, of: Expression, line: number): Expression {
  const not = tokens.take("name", "not");
  const { value: name } = tokens.expect("name");
  const { kind, value } = tokens.peek();
  let args = NO_ARGUMENTS;
  if (tokens.isOperator("(")) args = parseArguments(tokens);
  else if (
    kind === "string" ||
    kind === "number" ||
    (kind === "name" && !["else", "or", "and", "is", "if", "not", "in"].includes(value)) ||
    (kind === "operator" && (value === "[" || value === "{"))
  )
    args = { positional: [parsePostfix(tokens, parsePrimary(tokens))], named: new Map() };
  return { kind: "test", line, of, name, args, not };
}

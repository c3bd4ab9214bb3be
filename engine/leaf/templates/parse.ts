import type { Expression, FilterCall, MacroNode, Parameter, Statement, Target } from "./ast.js";
import { inTemplate, TemplateError } from "./errors.js";
import { tokenize } from "./lexer.js";
import { parseExpression, parseFilterCall, parseTuple, parseWithoutChoice } from "./parse-expression.js";
import { Tokens } from "./tokens.js";

export interface Template {
  /** Its path, for errors and for what it includes */
  readonly name: string;
  readonly body: readonly Statement[];
}

/** Throws TemplateError. */
export function parseTemplate(name: string, text: string): Template {
  return inTemplate(name, () => {
    const tokens = new Tokens(tokenize(text));
    const body = parseBody(tokens, []);
    return { name, body };
  });
}

/** Statements up to a tag of one of the names `ends`, which is left unread but for its "{%". */
function parseBody(
  tokens: Tokens,
  ends: readonly string[],
  opened?: { name: string; line: number },
): Statement[] {
  const body: Statement[] = [];
  while (!tokens.done) {
    const { line } = tokens;
    if (tokens.is("text")) body.push({ kind: "text", line, text: tokens.next().value });
    else if (tokens.take("begin", "{{")) {
      body.push({ kind: "output", line, value: parseTuple(tokens) });
      tokens.expect("end", "}}");
    } else {
      tokens.expect("begin", "{%");
      if (tokens.is("name") && ends.includes(tokens.peek().value)) return body;
      body.push(parseStatement(tokens, line));
    }
  }
  if (opened)
    throw new TemplateError(`"${opened.name}" is not closed by "${ends[ends.length - 1]}"`, opened.line);
  return body;
}

/** A body and its closing tag. */
function parseBlock(tokens: Tokens, name: string, line: number): Statement[] {
  tokens.expect("end");
  const body = parseBody(tokens, [`end${name}`], { name, line });
  tokens.next();
  // `endblock` may say its name again.
  if (name === "block") tokens.take("name");
  tokens.expect("end");
  return body;
}

function parseStatement(tokens: Tokens, line: number): Statement {
  const word = tokens.expect("name").value;
  const parse = STATEMENTS[word as keyof typeof STATEMENTS];
  if (!Object.keys(STATEMENTS).includes(word))
    throw new TemplateError(
      word.startsWith("end") || word === "else" || word === "elif"
        ? `"${word}" closes nothing that is open here`
        : `there is no "{% ${word} %}"`,
      line,
    );
  return parse(tokens, line);
}

/** Ends a tag that stands by itself. */
function closed(tokens: Tokens, statement: Statement): Statement {
  tokens.expect("end", "%}");
  return statement;
}

const STATEMENTS = {
  if: parseIf,
  for: parseFor,
  set: parseSet,
  with: parseWith,
  macro: parseMacro,
  call: parseCall,
  include: parseInclude,
  import: parseImport,
  from: parseFrom,
  filter(tokens, line) {
    const filters = parseFilterChain(tokens);
    return { kind: "filterBlock", line, filters, body: parseBlock(tokens, "filter", line) };
  },
  block(tokens, line) {
    const name = tokens.expect("name").value;
    tokens.take("name", "scoped");
    return { kind: "block", line, name, body: parseBlock(tokens, "block", line) };
  },
  extends: (tokens, line) => closed(tokens, { kind: "extends", line, template: parseExpression(tokens) }),
  do: (tokens, line) => closed(tokens, { kind: "do", line, value: parseExpression(tokens) }),
  break: (tokens, line) => closed(tokens, { kind: "break", line }),
  continue: (tokens, line) => closed(tokens, { kind: "continue", line }),
} satisfies Record<string, (tokens: Tokens, line: number) => Statement>;

function parseIf(tokens: Tokens, line: number): Statement {
  const branches: { test: Expression; body: Statement[] }[] = [];
  const opened = { name: "if", line };
  let otherwise: Statement[] = [];
  for (let word = "if"; word !== "endif"; ) {
    if (word === "else") {
      tokens.expect("end", "%}");
      otherwise = parseBody(tokens, ["endif"], opened);
    } else {
      const test = parseTuple(tokens);
      tokens.expect("end", "%}");
      branches.push({ test, body: parseBody(tokens, ["elif", "else", "endif"], opened) });
    }
    word = tokens.next().value;
  }
  return closed(tokens, { kind: "if", line, branches, otherwise });
}

function parseFor(tokens: Tokens, line: number): Statement {
  const target = parseTarget(tokens);
  tokens.expect("name", "in");
  const over = parseTuple(tokens, parseWithoutChoice);
  const where = tokens.take("name", "if") ? parseExpression(tokens) : undefined;
  const recursive = tokens.take("name", "recursive");
  tokens.expect("end", "%}");
  const opened = { name: "for", line };
  const body = parseBody(tokens, ["else", "endfor"], opened);
  let otherwise: Statement[] = [];
  if (tokens.next().value === "else") {
    tokens.expect("end", "%}");
    otherwise = parseBody(tokens, ["endfor"], opened);
    tokens.next();
  }
  return closed(tokens, {
    kind: "for",
    line,
    target,
    over,
    ...(where ? { where } : {}),
    recursive,
    body,
    otherwise,
  });
}

function parseTarget(tokens: Tokens): Target {
  const bracket = tokens.take("operator", "(");
  const names = [tokens.expect("name").value];
  while (tokens.take("operator", ",")) names.push(tokens.expect("name").value);
  if (bracket) tokens.expect("operator", ")");
  return names;
}

function parseSet(tokens: Tokens, line: number): Statement {
  const target = parseTarget(tokens);
  const attribute = tokens.take("operator", ".") ? tokens.expect("name").value : undefined;
  if (tokens.take("operator", "=")) {
    const value = parseTuple(tokens);
    return closed(tokens, { kind: "set", line, target, ...(attribute ? { attribute } : {}), value });
  }
  const filters = tokens.take("operator", "|") ? parseFilterChain(tokens) : [];
  return { kind: "capture", line, name: target[0]!, filters, body: parseBlock(tokens, "set", line) };
}

function parseFilterChain(tokens: Tokens): FilterCall[] {
  const filters = [parseFilterCall(tokens)];
  while (tokens.take("operator", "|")) filters.push(parseFilterCall(tokens));
  return filters;
}

function parseWith(tokens: Tokens, line: number): Statement {
  const values: (readonly [Target, Expression])[] = [];
  while (!tokens.is("end")) {
    if (values.length > 0) tokens.expect("operator", ",");
    const target = [tokens.expect("name").value];
    tokens.expect("operator", "=");
    values.push([target, parseExpression(tokens)]);
  }
  return { kind: "with", line, values, body: parseBlock(tokens, "with", line) };
}

function parseParameters(tokens: Tokens): Parameter[] {
  const parameters: Parameter[] = [];
  tokens.expect("operator", "(");
  while (!tokens.take("operator", ")")) {
    if (parameters.length > 0) tokens.expect("operator", ",");
    const { value: name } = tokens.expect("name");
    const fallback = tokens.take("operator", "=") ? parseExpression(tokens) : undefined;
    parameters.push(fallback ? { name, fallback } : { name });
  }
  return parameters;
}

function parseMacro(tokens: Tokens, line: number): Statement {
  const { value: name } = tokens.expect("name");
  const parameters = parseParameters(tokens);
  const macro: MacroNode = { name, parameters, body: parseBlock(tokens, "macro", line) };
  return { kind: "macro", line, macro };
}

function parseCall(tokens: Tokens, line: number): Statement {
  const parameters = tokens.isOperator("(") ? parseParameters(tokens) : [];
  const call = parseExpression(tokens);
  if (call.kind !== "call") throw new TemplateError('"call" needs the call of a macro', line);
  return {
    kind: "callBlock",
    line,
    call,
    caller: { name: "caller", parameters, body: parseBlock(tokens, "call", line) },
  };
}

function parseContext(tokens: Tokens, fallback: boolean): boolean {
  const told = tokens.isWord("with") || tokens.isWord("without");
  if (!told || !tokens.is("name", "context", 1)) return fallback;
  const given = tokens.next().value === "with";
  tokens.next();
  return given;
}

function parseInclude(tokens: Tokens, line: number): Statement {
  const template = parseExpression(tokens);
  const ignoreMissing = tokens.take("name", "ignore");
  if (ignoreMissing) tokens.expect("name", "missing");
  const withContext = parseContext(tokens, true);
  return closed(tokens, { kind: "include", line, template, ignoreMissing, withContext });
}

function parseImport(tokens: Tokens, line: number): Statement {
  const template = parseExpression(tokens);
  tokens.expect("name", "as");
  const as = tokens.expect("name").value;
  return closed(tokens, { kind: "import", line, template, as, withContext: parseContext(tokens, false) });
}

function parseFrom(tokens: Tokens, line: number): Statement {
  const template = parseExpression(tokens);
  tokens.expect("name", "import");
  const names: (readonly [string, string])[] = [];
  do {
    if (tokens.isWord("with") || tokens.isWord("without")) break;
    const { value } = tokens.expect("name");
    names.push([value, tokens.take("name", "as") ? tokens.expect("name").value : value]);
  } while (tokens.take("operator", ","));
  return closed(tokens, { kind: "import", line, template, names, withContext: parseContext(tokens, false) });
}

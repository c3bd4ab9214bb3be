import { TemplateError } from "./errors.js";
import type { Token, TokenKind } from "./lexer.js";

/** A place in a template's tokens. */
export class Tokens {
  readonly #tokens: readonly Token[];
  readonly #last: Token;
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
    this.#last = { kind: "text", value: "", line: tokens[tokens.length - 1]?.line ?? 1 };
  }

  get done(): boolean {
    return this.#at >= this.#tokens.length;
  }

  get line(): number {
    return this.peek().line;
  }

  peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? this.#last;
  }

  next(): Token {
    const token = this.peek();
    this.#at++;
    return token;
  }

  is(kind: TokenKind, value?: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return (
      this.#at + ahead < this.#tokens.length &&
      token.kind === kind &&
      (value === undefined || token.value === value)
    );
  }

  isOperator = (value: string): boolean => this.is("operator", value);
  isWord = (value: string): boolean => this.is("name", value);

  /** Goes past such a token if it comes next. */
  take(kind: TokenKind, value?: string): boolean {
    const found = this.is(kind, value);
    if (found) this.#at++;
    return found;
  }

  expect(kind: TokenKind, value?: string): Token {
    if (this.is(kind, value)) return this.next();
    throw this.unexpected(value === undefined ? `a ${kind}` : `"${value}"`);
  }

  unexpected(wanted?: string): TemplateError {
    const found = this.done ? "the template's end" : `"${this.peek().value}"`;
    return new TemplateError(
      wanted ? `expected ${wanted}, not ${found}` : `${found} is not understood here`,
      this.line,
    );
  }
}

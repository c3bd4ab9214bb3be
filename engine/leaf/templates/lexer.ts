import { TemplateError } from "./errors.js";

export type TokenKind = "text" | "name" | "number" | "string" | "operator" | "begin" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** The text; a string without its quotes; "{{" or "{%" for begin, "}}" or "%}" for end */
  readonly value: string;
  readonly line: number;
}

export interface WhitespaceRules {
  /** The newline behind a block tag goes. Ansible's default: true */
  readonly trimBlocks: boolean;
  /** Blanks between a line's beginning and a block tag go. Ansible's default: false */
  readonly lstripBlocks: boolean;
}

const OPERATOR = /\*\*|\/\/|==|!=|<=|>=|[-+*/%~|.,:()[\]{}=<>]/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const STRING = /"((?:[^"\\]|\\[\s\S])*)"|'((?:[^'\\]|\\[\s\S])*)'/y;
const RAW = /\{%([-+]?)\s*raw\s*([-+]?)%\}/y;
const END_RAW = /\{%([-+]?)\s*endraw\s*([-+]?)%\}/g;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\n": "" };

/** Ansible's first line `#jinja2: trim_blocks:False, lstrip_blocks:True`: the rules, and the text behind it. */
export function readHeader(text: string): { rules: WhitespaceRules; text: string; line: number } {
  const match = /^#jinja2:([^\n]*)\n/.exec(text);
  const flag = (name: string, fallback: boolean): boolean => {
    const given = new RegExp(`\\b${name}\\s*:\\s*(true|false)`, "i").exec(match?.[1] ?? "")?.[1];
    return given === undefined ? fallback : given.toLowerCase() === "true";
  };
  const rules = { trimBlocks: flag("trim_blocks", true), lstripBlocks: flag("lstrip_blocks", false) };
  return { rules, text: match ? text.slice(match[0].length) : text, line: match ? 2 : 1 };
}

/** A template's tokens. Throws TemplateError. */
export function tokenize(source: string): Token[] {
  const { rules, text, line } = readHeader(source);
  return new Lexer(text, rules, line).run();
}

class Lexer {
  readonly #text: string;
  readonly #rules: WhitespaceRules;
  readonly #tokens: Token[] = [];
  #at = 0;
  #line: number;
  #counted = 0;

  constructor(text: string, rules: WhitespaceRules, line: number) {
    this.#text = text;
    this.#rules = rules;
    this.#line = line;
  }

  run(): Token[] {
    while (this.#at < this.#text.length) this.#piece();
    return this.#tokens;
  }

  /** Text up to the next tag, and the tag. */
  #piece(): void {
    const text = this.#text;
    const start = this.#at;
    const found = /\{[{%#]/g;
    found.lastIndex = start;
    const open = found.exec(text)?.index ?? text.length;
    const tag = text.slice(open, open + 2);
    const control = text[open + 2];
    this.#pushText(this.#before(text.slice(start, open), start, tag, control), start);
    this.#at = open;
    if (tag === "") return;
    if (tag === "{#") {
      this.#comment();
      return;
    }
    RAW.lastIndex = open;
    const raw = tag === "{%" ? RAW.exec(text) : null;
    if (raw) {
      this.#raw(open + raw[0].length, raw[2] ?? "");
      return;
    }
    this.#push("begin", tag, open);
    this.#at = open + (control === "-" || (control === "+" && tag === "{%") ? 3 : 2);
    this.#inside(tag === "{{" ? "}}" : "%}", open);
  }

  /** The text before a tag, as the tag leaves it. */
  #before(text: string, start: number, tag: string, control: string | undefined): string {
    if (tag !== "" && control === "-") return text.replace(/\s+$/, "");
    if (!this.#rules.lstripBlocks || (tag !== "{%" && tag !== "{#") || control === "+") return text;
    const line = text.lastIndexOf("\n") + 1;
    const beginsLine = line > 0 || start === 0 || this.#text[start - 1] === "\n";
    return beginsLine && /^[ \t]*$/.test(text.slice(line)) ? text.slice(0, line) : text;
  }

  #comment(): void {
    const close = this.#text.indexOf("#}", this.#at + 2);
    if (close < 0) throw new TemplateError("a comment is not closed", this.#lineAt(this.#at));
    const control = close > this.#at + 2 ? this.#text[close - 1]! : "";
    this.#at = close + 2;
    this.#behind(control, true);
  }

  #raw(from: number, control: string): void {
    const began = this.#lineAt(this.#at);
    this.#at = from;
    this.#behind(control, true);
    END_RAW.lastIndex = this.#at;
    const end = END_RAW.exec(this.#text);
    if (!end) throw new TemplateError('a "raw" block is not closed', began);
    const body = this.#text.slice(this.#at, end.index);
    this.#pushText(this.#before(body, this.#at, "{%", end[1]), this.#at);
    this.#at = end.index + end[0].length;
    this.#behind(end[2] ?? "", true);
  }

  /** What a tag's end takes of the text behind it. */
  #behind(control: string, block: boolean): void {
    const rest = /\s*/y;
    const newline = /\r?\n/y;
    const pattern =
      control === "-" ? rest : block && this.#rules.trimBlocks && control !== "+" ? newline : undefined;
    if (!pattern) return;
    pattern.lastIndex = this.#at;
    this.#at += pattern.exec(this.#text)?.[0].length ?? 0;
  }

  /** The tokens of a tag up to its end. */
  #inside(close: string, opened: number): void {
    let depth = 0;
    for (;;) {
      const blank = /\s*/y;
      blank.lastIndex = this.#at;
      this.#at += blank.exec(this.#text)?.[0].length ?? 0;
      if (this.#at >= this.#text.length)
        throw new TemplateError(`"${close === "}}" ? "{{" : "{%"}" is not closed`, this.#lineAt(opened));
      if (depth === 0) {
        const control = /[-+]/.test(this.#text[this.#at]!) ? this.#text[this.#at]! : "";
        if (this.#text.startsWith(close, this.#at + control.length) && !(control === "+" && close === "}}")) {
          this.#push("end", close, this.#at);
          this.#at += control.length + 2;
          this.#behind(control, close === "%}");
          return;
        }
      }
      const operator = this.#token();
      if (/^[([{]$/.test(operator)) depth++;
      if (/^[)\]}]$/.test(operator)) depth--;
    }
  }

  /** Reads one token; gives its text when it is an operator. */
  #token(): string {
    const match = (pattern: RegExp) => {
      pattern.lastIndex = this.#at;
      return pattern.exec(this.#text);
    };
    const take = (kind: TokenKind, length: number, value: string) => {
      this.#push(kind, value, this.#at);
      this.#at += length;
    };
    const name = match(NAME);
    if (name) take("name", name[0].length, name[0]);
    const number = name ? null : match(NUMBER);
    if (number) take("number", number[0].length, number[0].replaceAll("_", ""));
    const string = name || number ? null : match(STRING);
    if (string) {
      const body = string[1] ?? string[2] ?? "";
      take(
        "string",
        string[0].length,
        body.replace(
          /\\([\s\S])/g,
          (all, char: string) => ESCAPES[char] ?? (/[\\"']/.test(char) ? char : all),
        ),
      );
    }
    if (name || number || string) return "";
    const operator = match(OPERATOR);
    if (!operator)
      throw new TemplateError(`"${this.#text[this.#at]}" is not understood here`, this.#lineAt(this.#at));
    take("operator", operator[0].length, operator[0]);
    return operator[0];
  }

  #pushText(text: string, at: number): void {
    if (text !== "") this.#push("text", text, at);
  }

  #push(kind: TokenKind, value: string, at: number): void {
    this.#tokens.push({ kind, value, line: this.#lineAt(at) });
  }

  /** Asked for in rising order but for a tag's beginning. */
  #lineAt(at: number): number {
    if (at < this.#counted) return this.#line - countNewlines(this.#text, at, this.#counted);
    this.#line += countNewlines(this.#text, this.#counted, at);
    this.#counted = at;
    return this.#line;
  }
}

function countNewlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

/**
 * What a host says is data: control characters (C0, DEL, C1), and the characters that reorder or hide text
 * (bidi controls, zero-width, line separators) are shown, never sent to the terminal.
 */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

const show = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
};

/** One line of untrusted text: line breaks and tabs are shown as well. */
export function escapeLine(text: string): string {
  return text.replace(UNSAFE, (c) =>
    c === "\n" ? "\\n" : c === "\t" ? "\\t" : c === "\r" ? "\\r" : show(c),
  );
}

/** JSON in one line that a terminal takes for nothing else: what JSON itself lets through is written as \u too. */
export const safeJson = (value: object): string =>
  JSON.stringify(value).replace(UNSAFE, (c) => `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);

/** Untrusted text of several lines, split into lines; tabs stay. */
export function escapeLines(text: string): string[] {
  const lines = text.replace(/\r\n/g, "\n").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => line.replace(UNSAFE, (c) => (c === "\t" ? c : show(c))));
}

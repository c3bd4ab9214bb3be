/** The inventory's shorthand and `--extra-vars`: `k=v k2='a b' k3="say \"x\""`. */

export type Scalar = string | number | boolean;

/** What is wrong with a shorthand, without its place. */
export class ShorthandError extends Error {
  override readonly name = "ShorthandError";
}

/** Unquoted integers, decimals, true and false become what they look like; quoted values stay text. */
export function parseShorthand(text: string): Record<string, Scalar> {
  const result: Record<string, Scalar> = Object.create(null) as Record<string, Scalar>;
  for (const word of words(text)) {
    const equals = word.text.indexOf("=");
    const key = equals < 0 ? word.text : word.text.slice(0, equals);
    if (equals <= 0) throw new ShorthandError(`"${word.text}" is no NAME=VALUE`);
    if (!/^[A-Za-z_][\w.-]*$/.test(key)) throw new ShorthandError(`"${key}" is no variable name`);
    if (Object.hasOwn(result, key)) throw new ShorthandError(`${key} is given twice`);
    const value = word.text.slice(equals + 1);
    result[key] = word.quoted ? value : scalar(value);
  }
  return { ...result };
}

export function scalar(text: string): Scalar {
  if (text === "true") return true;
  if (text === "false") return false;
  if (/^-?(0|[1-9]\d*)(\.\d+)?$/.test(text)) {
    const number = Number(text);
    // What a double can't hold exactly (long ids) stays text.
    if (String(number) === text) return number;
  }
  return text;
}

interface Word {
  readonly text: string;
  readonly quoted: boolean;
}

function words(text: string): Word[] {
  const found: Word[] = [];
  let word = "";
  let open = false;
  let quoted = false;
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quote !== "") {
      if (char === quote) quote = "";
      else if (char === "\\" && quote === '"' && /["\\]/.test(text[i + 1] ?? "")) word += text[++i];
      else word += char;
    } else if (/\s/.test(char)) {
      if (open) found.push({ text: word, quoted });
      word = "";
      open = false;
      quoted = false;
    } else {
      open = true;
      if (char === "'" || char === '"') {
        quote = char;
        quoted = true;
      } else if (char === "\\" && i + 1 < text.length) {
        word += text[++i];
        quoted = true;
      } else word += char;
    }
  }
  if (quote !== "") throw new ShorthandError(`a ${quote} is not closed in "${text}"`);
  if (open) found.push({ text: word, quoted });
  return found;
}

import { ValueError } from "../errors.js";
import { defined, isDict, kindOf, textOf, truthy, Undefined } from "../values.js";
import type { Filter, Given } from "./given.js";

/** JSON with Python's spaces behind "," and ":", or indented as json.dumps(indent=n) has it. */
export function jsonOf(value: unknown, indent: number | undefined, sortKeys: boolean, pad = ""): string {
  const given = defined(value);
  const inner = indent === undefined ? "" : `${pad}${" ".repeat(indent)}`;
  const around = (open: string, parts: readonly string[], close: string): string => {
    if (parts.length === 0) return open + close;
    if (indent === undefined) return open + parts.join(", ") + close;
    return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${pad}${close}`;
  };
  if (Array.isArray(given))
    return around(
      "[",
      given.map((item) => jsonOf(item, indent, sortKeys, inner)),
      "]",
    );
  if (isDict(given)) {
    const keys = Object.keys(given);
    if (sortKeys) keys.sort();
    return around(
      "{",
      keys.map((key) => `${JSON.stringify(key)}: ${jsonOf(given[key], indent, sortKeys, inner)}`),
      "}",
    );
  }
  if (given instanceof Uint8Array || (typeof given === "object" && given !== null))
    throw new ValueError(`${kindOf(given)} can't be written as JSON`);
  return JSON.stringify(given ?? null);
}

/** A text that YAML reads back as this text needs quotes when it would read as something else. */
const PLAIN = /^[A-Za-z_/.][\w ./@+~-]*(?:(?<! ):(?! |$)[\w ./@+~-]*)*$/;
const WORDS = /^(?:true|false|yes|no|on|off|null|none|y|n|~|\.nan|[-+]?\.inf|\.?\d.*|)$/i;

function yamlScalar(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const text = textOf(value);
  if (PLAIN.test(text) && !WORDS.test(text) && text === text.trim()) return text;
  return /[\n\t\r"\\\x00-\x1f\x7f]/.test(text) ? JSON.stringify(text) : `'${text.replaceAll("'", "''")}'`;
}

/** Block style; a list in a dict stands as far in as its key. */
function yamlLines(value: unknown, indent: number): string[] {
  const given = defined(value);
  const pad = " ".repeat(indent);
  if (Array.isArray(given)) {
    if (given.length === 0) return ["[]"];
    return given.flatMap((item) => {
      const [first = "", ...rest] = yamlLines(item, indent);
      return [`- ${first}`, ...rest.map((line) => `  ${line}`)];
    });
  }
  if (!isDict(given)) return [yamlScalar(given)];
  const entries = Object.entries(given);
  if (entries.length === 0) return ["{}"];
  return entries.flatMap(([key, item]) => {
    const lines = yamlLines(item, indent);
    const nested = (Array.isArray(item) && item.length > 0) || (isDict(item) && Object.keys(item).length > 0);
    if (!nested) return [`${yamlScalar(key)}: ${lines[0]}`];
    return [`${yamlScalar(key)}:`, ...lines.map((line) => (Array.isArray(item) ? line : pad + line))];
  });
}

const toYaml =
  (indent: number): Filter =>
  (value, given) =>
    `${yamlLines(value, Math.min(16, Math.max(1, given.number(0, "indent", indent)))).join("\n")}\n`;

function toNumber(value: unknown, given: Given, parse: (text: string) => number): number {
  const known = defined(value);
  const number = typeof known === "string" ? parse(known.trim()) : Number(known);
  return Number.isFinite(number) && !isDict(known) && !Array.isArray(known)
    ? number
    : given.number(0, "default", 0);
}

function round(value: unknown, given: Given): number {
  if (typeof value !== "number") throw new ValueError(`${kindOf(defined(value))} can't be rounded`);
  const scale = 10 ** given.number(0, "precision", 0);
  const method = given.text(1, "method", "common");
  const scaled = value * scale;
  if (method === "ceil") return Math.ceil(scaled) / scale;
  if (method === "floor") return Math.floor(scaled) / scale;
  // Half goes to the even neighbour, as in Python.
  const low = Math.floor(scaled);
  const rounded = scaled - low === 0.5 ? low + (Math.abs(low) % 2) : Math.round(scaled);
  return rounded / scale;
}

const fallback: Filter = (value, given) => {
  const missing = value instanceof Undefined || value === undefined;
  if (!missing && !(given.flag(1, "boolean") && !truthy(value))) return value;
  // May be undefined itself, for another `default` behind this one.
  if (given.positional.length > 0) return given.positional[0];
  return given.named.has("default_value") ? given.named.get("default_value") : "";
};
const json: Filter = (value, given) => {
  const indent = given.get(0, "indent");
  return jsonOf(
    value,
    typeof indent === "number" ? Math.min(indent, 16) : undefined,
    given.flag(1, "sort_keys"),
  );
};

export const DATA_FILTERS = {
  default: fallback,
  d: fallback,
  mandatory(value, given) {
    if (value instanceof Undefined && given.positional.length + given.named.size > 0)
      throw new ValueError(given.text(0, "msg"));
    return defined(value);
  },
  ternary: (value, given) =>
    value === null && given.get(2, "none_val") !== undefined
      ? given.get(2, "none_val")
      : given.get(truthy(value) ? 0 : 1, truthy(value) ? "true_val" : "false_val"),
  int: (value, given) =>
    Math.trunc(
      toNumber(value, given, (text) =>
        /^[-+]?\d+(\.\d*)?$/.test(text)
          ? Number(text)
          : given.get(1, "base") === 16
            ? Number.parseInt(text, 16)
            : Number.NaN,
      ),
    ),
  float: (value, given) => toNumber(value, given, (text) => (text === "" ? Number.NaN : Number(text))),
  bool: (value) =>
    typeof value === "string" ? /^(1|true|yes|on|y|t)$/i.test(value) : value === true || value === 1,
  abs: (value) => Math.abs(toStrictNumber(value)),
  round,
  to_json: json,
  tojson: json,
  to_nice_json: (value, given) =>
    jsonOf(value, Math.min(16, given.number(0, "indent", 4)), given.flag(1, "sort_keys", true)),
  from_json(value) {
    try {
      return JSON.parse(textOf(value)) as unknown;
    } catch {
      throw new ValueError("the text is no JSON");
    }
  },
  to_yaml: toYaml(2),
  to_nice_yaml: toYaml(4),
  safe: (value) => defined(value),
} satisfies Record<string, Filter>;

function toStrictNumber(value: unknown): number {
  if (typeof value !== "number") throw new ValueError(`${kindOf(defined(value))} is no number`);
  return value;
}

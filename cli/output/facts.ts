import { escapeLine } from "./escape.js";
import type { Style } from "./style.js";

/** A host's facts for people: a line each, what is inside of one indented below it. */
export function factLines(host: string, facts: { readonly [name: string]: unknown }, style: Style): string[] {
  return [style.bold(escapeLine(host)), ...fields(facts, 1, style)];
}

function fields(value: object, depth: number, style: Style): string[] {
  return Object.entries(value).flatMap(([name, item]) => entry(escapeLine(name), item, depth, style));
}

function entry(name: string, value: unknown, depth: number, style: Style): string[] {
  const start = `${"  ".repeat(depth)}${style.dim(`${name}:`)}`;
  if (isFlat(value)) return [`${start} ${flat(value)}`];
  if (!Array.isArray(value)) return [start, ...fields(value as object, depth + 1, style)];
  return [start, ...value.flatMap((item: unknown) => listItem(item, depth + 1, style))];
}

/** "- " and the first line behind it. */
function listItem(value: unknown, depth: number, style: Style): string[] {
  const indent = "  ".repeat(depth);
  if (isFlat(value)) return [`${indent}- ${flat(value)}`];
  const lines = Array.isArray(value)
    ? value.flatMap((item: unknown) => listItem(item, depth + 1, style))
    : fields(value as object, depth + 1, style);
  return lines.map((line, index) => (index === 0 ? `${indent}- ${line.slice(indent.length + 2)}` : line));
}

/** What fits in its line: a value, or a list of such. */
function isFlat(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return Array.isArray(value)
    ? value.every((item) => typeof item !== "object" || item === null)
    : Object.keys(value).length === 0;
}

function flat(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(flat).join(", ");
  if (value === null || value === "") return "-";
  return typeof value === "object" ? "none" : escapeLine(String(value));
}

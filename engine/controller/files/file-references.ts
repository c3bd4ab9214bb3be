import { isNode, parseModule, type SyntaxNode, walk } from "../ship/syntax.js";

/** What a role's code says that may be a file's path. */
export interface FileReferences {
  /** String literals */
  readonly literals: ReadonlySet<string>;
  /** Texts with gaps (`templates/${x}.j2`) as patterns with `*` for each gap */
  readonly patterns: ReadonlySet<string>;
  /** `source` and `template` of calls of `file`: these must exist */
  readonly required: readonly RequiredFile[];
  /** The role gives some resource `tags` of its own */
  readonly hasTags: boolean;
  /** Some call seems to need the template engine; one that is made in other ways has it fetched when it runs */
  readonly renders: boolean;
  /** Names that are called or taken from an object: types among them */
  readonly uses: ReadonlySet<string>;
}

export interface RequiredFile {
  readonly option: "source" | "template";
  readonly path: string;
  /** Position in the code, from 1 */
  readonly line: number;
  readonly column: number;
}

const MAX_LITERAL = 1024;

export function fileReferences(code: string): FileReferences {
  const literals = new Set<string>();
  const patterns = new Set<string>();
  const required: RequiredFile[] = [];
  let hasTags = false;
  let renders = false;
  const uses = new Set<string>();
  walk(parseModule(code, "script"), (node) => {
    for (const name of usedNames(node)) uses.add(name);
    if (isOption(node, "tags")) hasTags = true;
    if (isOption(node, "template") || (calleeName(node) === "echo" && mayHaveMarks(node))) renders = true;
    if (calleeName(node) === "file") required.push(...requiredBy(node));
    const text = textWithGaps(node);
    if (text === undefined || text.length > MAX_LITERAL) return;
    const pattern = text.includes(GAP);
    if (!pattern) literals.add(text);
    // Two gaps with hardly a letter between them would offer everything.
    else if (/[\p{L}\p{N}].*[\p{L}\p{N}]/u.test(text.replaceAll(GAP, ""))) patterns.add(escapeGlob(text));
  });
  return { literals, patterns, required, hasTags, renders, uses };
}

/** Stands for what is known at run time only; no path holds it. */
const GAP = "\0";

function textWithGaps(node: SyntaxNode): string | undefined {
  if (node.type === "Literal") return typeof node.value === "string" ? node.value : undefined;
  if (node.type === "TemplateLiteral")
    return (node.quasis as { value: { cooked?: string | null } }[])
      .map((quasi) => quasi.value.cooked ?? GAP)
      .join(GAP);
  if (node.type !== "BinaryExpression" || node.operator !== "+") return undefined;
  const parts = [node.left, node.right].map((side) => (isNode(side) ? textWithGaps(side) : undefined));
  return parts.every((part) => part === undefined) ? undefined : parts.map((part) => part ?? GAP).join("");
}

const escapeGlob = (text: string): string =>
  text
    .split(GAP)
    .map((part) => part.replace(/[*?[]/g, "[$&]"))
    .join("*")
    .replace(/\*{2,}/g, "*");

const isOption = (node: SyntaxNode, name: string): boolean =>
  node.type === "Property" && propertyName(node) === name;

/** A text without marks stands for itself (engine/leaf/role/renderer.ts); with gaps it may get some. */
function mayHaveMarks(call: SyntaxNode): boolean {
  const first = (call.arguments as SyntaxNode[])[0];
  const text = first && textWithGaps(first);
  return text === undefined || text.includes(GAP) || /\{\{|\{%|\{#/.test(text);
}

function calleeName(call: SyntaxNode): unknown {
  if (call.type !== "CallExpression") return undefined;
  const callee = call.callee as SyntaxNode;
  if (callee.type === "Identifier") return callee.name;
  return callee.type === "MemberExpression" ? (callee.property as SyntaxNode).name : undefined;
}

/** `{ service } = context`, `context.service(...)`, `service(...)`. */
function usedNames(node: SyntaxNode): string[] {
  if (node.type === "ObjectPattern")
    return (node.properties as SyntaxNode[])
      .map((property) => (property.type === "Property" ? propertyName(property) : undefined))
      .filter((name): name is string => typeof name === "string");
  const name = calleeName(node);
  return typeof name === "string" ? [name] : [];
}

function propertyName(property: SyntaxNode): unknown {
  const key = property.key as SyntaxNode;
  return property.computed === true ? undefined : (key.name ?? key.value);
}

function requiredBy(call: SyntaxNode): RequiredFile[] {
  const options = (call.arguments as SyntaxNode[])[1];
  if (options?.type !== "ObjectExpression") return [];
  return (options.properties as SyntaxNode[]).flatMap((property) => {
    if (property.type !== "Property") return [];
    const option = propertyName(property);
    const value = property.value as SyntaxNode;
    if ((option !== "source" && option !== "template") || value.type !== "Literal") return [];
    if (typeof value.value !== "string") return [];
    const { start } = value.loc as { start: { line: number; column: number } };
    return [{ option, path: value.value, line: start.line, column: start.column + 1 }];
  });
}

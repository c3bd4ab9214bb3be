import { FETCHED } from "../../vocabulary/fetched.js";
import { OPTION_PARTS } from "../../vocabulary/parts.js";
import { isNode, parseModule, type SyntaxNode, walk } from "../ship/syntax.js";

/** What a role's code says that may be a file's path. */
export interface FileReferences {
  /** String literals */
  readonly literals: ReadonlySet<string>;
  /** Texts with gaps (`templates/${x}.j2`) as patterns with `*` for each gap */
  readonly patterns: ReadonlySet<string>;
  /** `source`, `template` and `keySource` of calls, and what `script` runs: these must exist */
  readonly required: readonly RequiredFile[];
  /** Folders that `copyTree` copies; undefined among them: one that is known at run time only */
  readonly trees: ReadonlySet<string | undefined>;
  /** Folders that `fetch` brings files to */
  readonly fetchTo: readonly FetchFolder[];
  /** The role gives some resource `tags` of its own */
  readonly hasTags: boolean;
  /** Some call seems to need the template engine; one that is made in other ways has it fetched when it runs */
  readonly renders: boolean;
  /** Names that are called or taken from an object: types among them */
  readonly uses: ReadonlySet<string>;
}

export interface RequiredFile {
  readonly option: "source" | "template" | "keySource" | "script";
  /** A folder is copied as a whole */
  readonly kind: "file" | "folder";
  readonly path: string;
  /** Position in the code, from 1 */
  readonly line: number;
  readonly column: number;
}

export type FetchFolder = Pick<RequiredFile, "path" | "line" | "column">;

const MAX_LITERAL = 1024;
/** Types that take files beside the policy, and what they take. */
const TAKES: Readonly<Record<string, RequiredFile["kind"]>> = {
  file: "file",
  archive: "file",
  repository: "file",
  copyTree: "folder",
};

export function fileReferences(code: string): FileReferences {
  const literals = new Set<string>();
  const patterns = new Set<string>();
  const required: RequiredFile[] = [];
  const trees = new Set<string | undefined>();
  const fetchTo: FetchFolder[] = [];
  let hasTags = false;
  let renders = false;
  const uses = new Set<string>();
  walk(parseModule(code, "script"), (node) => {
    for (const name of usedNames(node)) uses.add(name);
    if (isOption(node, "tags")) hasTags = true;
    if (isOption(node, "template") || (calleeName(node) === "echo" && mayHaveMarks(node))) renders = true;
    for (const option of Object.keys(OPTION_PARTS)) if (isOption(node, option)) uses.add(option);
    const callee = calleeName(node);
    const kind = typeof callee === "string" ? TAKES[callee] : undefined;
    const taken = kind ? requiredBy(node, kind) : [];
    required.push(...taken);
    if (kind === "folder") trees.add(taken[0]?.path);
    if (callee === "script") required.push(...scriptOf(node));
    if (callee === "fetch") fetchTo.push(...foldersOf(node));
    const text = textWithGaps(node);
    if (text === undefined || text.length > MAX_LITERAL) return;
    const pattern = text.includes(GAP);
    if (!pattern) literals.add(text);
    // Two gaps with hardly a letter between them would offer everything.
    else if (/[\p{L}\p{N}].*[\p{L}\p{N}]/u.test(text.replaceAll(GAP, ""))) patterns.add(escapeGlob(text));
  });
  return { literals, patterns, required, trees, fetchTo, hasTags, renders, uses };
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

function requiredBy(call: SyntaxNode, kind: RequiredFile["kind"]): RequiredFile[] {
  return (["source", "template", "keySource"] as const).flatMap((option) =>
    literals(optionOf(call, option)).map((found) => ({ option, kind, ...found })),
  );
}

/** `script` is named after what it runs. */
const scriptOf = (call: SyntaxNode): RequiredFile[] =>
  literals((call.arguments as SyntaxNode[])[0]).map((found) => ({
    option: "script",
    kind: "file",
    ...found,
  }));

/** Where a call of `fetch` says that files go; it says so in its text, or they go nowhere. */
function foldersOf(call: SyntaxNode): FetchFolder[] {
  const to = optionOf(call, "to");
  if (to) return literals(to);
  const options = (call.arguments as SyntaxNode[])[1];
  return options === undefined || options.type === "ObjectExpression"
    ? [{ path: FETCHED, ...placeOf(call) }]
    : [];
}

/** The value of an option that is spelled out in a call. */
function optionOf(call: SyntaxNode, name: string): SyntaxNode | undefined {
  const options = (call.arguments as SyntaxNode[])[1];
  if (options?.type !== "ObjectExpression") return undefined;
  const found = (options.properties as SyntaxNode[]).find((property) => isOption(property, name));
  return found?.value as SyntaxNode | undefined;
}

/** A literal text with its place; nothing for what is no literal. */
function literals(node: SyntaxNode | undefined): FetchFolder[] {
  const text = node && textWithGaps(node);
  return node && text !== undefined && !text.includes(GAP) ? [{ path: text, ...placeOf(node) }] : [];
}

function placeOf(node: SyntaxNode): { line: number; column: number } {
  const { start } = node.loc as { start: { line: number; column: number } };
  return { line: start.line, column: start.column + 1 };
}

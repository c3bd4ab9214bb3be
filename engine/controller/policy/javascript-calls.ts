import { boundNames, isNode, parseModule, type SyntaxNode, walk } from "../ship/syntax.js";
import type { Diagnostic } from "./diagnostics.js";

/** Where a kind of diagnostic can't be wrong, as "line:column". */
interface Places {
  /** Options that a call spells out: one of that name exists or does not */
  readonly names: Set<string>;
  /** Values that are literals, and the names of options that have such */
  readonly literals: Set<string>;
  /** Options that are there as a whole: what is missing among them is missing */
  readonly objects: Set<string>;
  /** Calls whose arguments are counted */
  readonly calls: Set<string>;
}

const UNKNOWN_OPTION = new Set(["TS2353", "TS2561"]);
const MISSING_OPTION = new Set(["TS2739", "TS2740", "TS2741"]);
const WRONG_KIND = new Set(["TS2322", "TS2345", "TS2559"]);

/**
 * Which of the compiler's diagnostics are faults in plain JavaScript: those of what calls of resources in `main` spell
 * out. JavaScript that runs well is full of others (a variable that takes values of two types, a parameter without one),
 * and what is computed is checked where it is known, on the host.
 */
export function resourceFaults(code: string): (diagnostic: Diagnostic) => boolean {
  const places: Places = { names: new Set(), literals: new Set(), objects: new Set(), calls: new Set() };
  for (const call of resourceCalls(code)) addCall(places, call);
  return ({ place, code: kind }) => {
    const at = `${place.line}:${place.column}`;
    if (UNKNOWN_OPTION.has(kind)) return places.names.has(at);
    if (MISSING_OPTION.has(kind)) return places.objects.has(at);
    if (WRONG_KIND.has(kind)) return places.literals.has(at);
    return kind === "TS2554" && places.calls.has(at);
  };
}

/** Calls of what `main` takes from its context, in whatever roles the code defines. */
function* resourceCalls(code: string): Generator<SyntaxNode> {
  let root: SyntaxNode;
  try {
    root = parseModule(code);
  } catch {
    // JSX, or a script that is no module: nothing is said of it.
    return;
  }
  const mains: SyntaxNode[] = [];
  walk(root, (node) => {
    if (node.type === "CallExpression" && (node.callee as SyntaxNode).name === "defineRole")
      mains.push(...mainsOf((node.arguments as SyntaxNode[])[0]));
  });
  for (const main of mains) {
    const calls: SyntaxNode[] = [];
    const [context] = main.params as SyntaxNode[];
    if (!context) continue;
    const names = new Set(boundNames(context));
    walk(main, (node) => {
      if (node.type === "CallExpression" && isTaken(node.callee as SyntaxNode, context, names))
        calls.push(node);
    });
    yield* calls;
  }
}

const mainsOf = (definition: SyntaxNode | undefined): SyntaxNode[] =>
  propertiesOf(definition)
    .filter((property) => (property.key as SyntaxNode).name === "main")
    .map((property) => property.value as SyntaxNode)
    .filter((value) => /Function/.test(value.type));

/** `file` of `{ file }`, `context.file` of `context`. */
function isTaken(callee: SyntaxNode, context: SyntaxNode, names: ReadonlySet<string>): boolean {
  if (context.type === "ObjectPattern")
    return callee.type === "Identifier" && names.has(callee.name as string);
  return callee.type === "MemberExpression" && names.has((callee.object as SyntaxNode).name as string);
}

function addCall(places: Places, call: SyntaxNode): void {
  const given = call.arguments as SyntaxNode[];
  const callee = call.callee as SyntaxNode;
  if (given.every((argument) => argument.type !== "SpreadElement"))
    places.calls.add(placeOf(callee.type === "MemberExpression" ? (callee.property as SyntaxNode) : callee));
  for (const argument of given) {
    if (isLiteral(argument)) places.literals.add(placeOf(argument));
    if (argument.type === "ObjectExpression" && !hasSpread(argument)) places.objects.add(placeOf(argument));
    addValues(places, argument);
  }
}

function addValues(places: Places, node: SyntaxNode): void {
  if (node.type === "ArrayExpression")
    for (const element of node.elements as unknown[]) {
      if (!isNode(element)) continue;
      if (isLiteral(element)) places.literals.add(placeOf(element));
      addValues(places, element);
    }
  for (const property of propertiesOf(node)) {
    const at = placeOf(property.key as SyntaxNode);
    places.names.add(at);
    if (isLiteral(property.value as SyntaxNode)) places.literals.add(at);
    addValues(places, property.value as SyntaxNode);
  }
}

function isLiteral(node: SyntaxNode): boolean {
  if (node.type === "UnaryExpression") return isLiteral(node.argument as SyntaxNode);
  if (node.type === "ArrayExpression")
    return (node.elements as unknown[]).every((element) => isNode(element) && isLiteral(element));
  if (node.type === "ObjectExpression")
    return (
      !hasSpread(node) && propertiesOf(node).every((property) => isLiteral(property.value as SyntaxNode))
    );
  return node.type === "Literal" || node.type === "TemplateLiteral";
}

const hasSpread = (node: SyntaxNode): boolean =>
  (node.properties as SyntaxNode[]).some((property) => property.type === "SpreadElement");

/** An object's own properties, but for those with computed names. */
const propertiesOf = (node: SyntaxNode | undefined): SyntaxNode[] =>
  node?.type === "ObjectExpression"
    ? (node.properties as SyntaxNode[]).filter(
        (property) => property.type === "Property" && property.computed !== true,
      )
    : [];

function placeOf(node: SyntaxNode): string {
  const { start } = node.loc as { start: { line: number; column: number } };
  return `${start.line}:${start.column + 1}`;
}

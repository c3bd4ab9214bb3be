import * as acorn from "acorn";

/** A node of the ESTree that acorn made, its fields to be narrowed by whoever reads them. */
export type SyntaxNode = acorn.Node & { readonly [field: string]: unknown };

export function parseModule(code: string, sourceType: "module" | "script" = "module"): SyntaxNode {
  return acorn.parse(code, {
    ecmaVersion: "latest",
    sourceType,
    allowHashBang: true,
    allowAwaitOutsideFunction: sourceType === "module",
    allowReturnOutsideFunction: true,
    locations: true,
  }) as unknown as SyntaxNode;
}

export function isNode(value: unknown): value is SyntaxNode {
  return (
    typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string"
  );
}

/** The nodes right below one. */
export function children(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (const value of Object.values(node))
    if (Array.isArray(value)) found.push(...value.filter(isNode));
    else if (isNode(value)) found.push(value);
  return found;
}

/** Calls `visit` on a node and all below it, in order. */
export function walk(node: SyntaxNode, visit: (node: SyntaxNode) => void): void {
  const pending = [node];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    visit(next);
    pending.push(...children(next).reverse());
  }
}

/** Names that a pattern binds: `a`, `{ a, b: c }`, `[a, ...b]`, `a = 1`. */
export function boundNames(pattern: unknown): string[] {
  if (!isNode(pattern)) return [];
  switch (pattern.type) {
    case "Identifier":
      return [pattern.name as string];
    case "ObjectPattern":
      return (pattern.properties as SyntaxNode[]).flatMap((property) =>
        boundNames(property.type === "RestElement" ? property.argument : property.value),
      );
    case "ArrayPattern":
      return (pattern.elements as unknown[]).flatMap(boundNames);
    case "AssignmentPattern":
      return boundNames(pattern.left);
    case "RestElement":
      return boundNames(pattern.argument);
    default:
      return [];
  }
}

/** Names that a declaration brings into its scope; none for other statements. */
export function declaredNames(statement: SyntaxNode): string[] {
  switch (statement.type) {
    case "VariableDeclaration":
      return (statement.declarations as SyntaxNode[]).flatMap((declarator) => boundNames(declarator.id));
    case "FunctionDeclaration":
    case "ClassDeclaration":
      return boundNames(statement.id);
    case "ImportDeclaration":
      return (statement.specifiers as SyntaxNode[]).flatMap((specifier) => boundNames(specifier.local));
    case "ExportNamedDeclaration":
      return isNode(statement.declaration) ? declaredNames(statement.declaration) : [];
    default:
      return [];
  }
}

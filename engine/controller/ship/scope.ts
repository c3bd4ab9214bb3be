import { boundNames, children, declaredNames, isNode, type SyntaxNode } from "./syntax.js";

/** Names that a statement uses and doesn't bind itself: what it needs from the module around it. */
export function freeNames(statement: SyntaxNode): Set<string> {
  const free = new Set<string>();
  visit(statement, [], free);
  return free;
}

type Scope = ReadonlySet<string>;

function visit(node: SyntaxNode, scopes: readonly Scope[], free: Set<string>): void {
  if (node.type === "Identifier") {
    const name = node.name as string;
    if (!scopes.some((scope) => scope.has(name))) free.add(name);
    return;
  }
  const inner = [...scopes, ...scopesOf(node)];
  for (const child of children(node)) if (!isPlainName(node, child)) visit(child, inner, free);
}

/** Names of members are no references: `a.name`, `{ name: 1 }`, `class { name() {} }`, labels. */
function isPlainName(parent: SyntaxNode, child: SyntaxNode): boolean {
  switch (parent.type) {
    case "MemberExpression":
      return child === parent.property && parent.computed !== true;
    case "Property":
    case "MethodDefinition":
    case "PropertyDefinition":
      return child === parent.key && parent.computed !== true && child !== parent.value;
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
      return child === parent.label;
    case "MetaProperty":
      return true;
    default:
      return false;
  }
}

function scopesOf(node: SyntaxNode): Scope[] {
  switch (node.type) {
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression": {
      const names = new Set((node.params as unknown[]).flatMap(boundNames));
      if (node.type === "FunctionExpression") for (const name of boundNames(node.id)) names.add(name);
      if (node.type !== "ArrowFunctionExpression") names.add("arguments");
      if (isNode(node.body)) hoisted(node.body, names);
      return [names];
    }
    case "BlockStatement":
    case "StaticBlock":
      return [new Set((node.body as SyntaxNode[]).filter(isLexical).flatMap(declaredNames))];
    case "SwitchStatement":
      return [
        new Set(
          (node.cases as SyntaxNode[])
            .flatMap((branch) => branch.consequent as SyntaxNode[])
            .filter(isLexical)
            .flatMap(declaredNames),
        ),
      ];
    case "ForStatement":
    case "ForInStatement":
    case "ForOfStatement": {
      const head = node.type === "ForStatement" ? node.init : node.left;
      return isNode(head) ? [new Set(declaredNames(head))] : [];
    }
    case "CatchClause":
      return [new Set(boundNames(node.param))];
    case "ClassExpression":
      return [new Set(boundNames(node.id))];
    default:
      return [];
  }
}

const isLexical = (statement: SyntaxNode): boolean =>
  !(statement.type === "VariableDeclaration" && statement.kind === "var");

/** `var` belongs to the whole function, however deep it stands. */
function hoisted(node: SyntaxNode, names: Set<string>): void {
  if (node.type === "VariableDeclaration" && node.kind === "var")
    for (const name of declaredNames(node)) names.add(name);
  if (/Function/.test(node.type)) return;
  for (const child of children(node)) hoisted(child, names);
}

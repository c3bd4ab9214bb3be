import { freeNames } from "./scope.js";
import { boundNames, declaredNames, isNode, parseModule, type SyntaxNode } from "./syntax.js";

interface Statement {
  readonly node: SyntaxNode;
  readonly declares: readonly string[];
  readonly uses: ReadonlySet<string>;
  /** `from`: re-exports of other modules; `drop`: never travels */
  readonly kind: "declaration" | "import" | "from" | "drop" | "other";
}

/**
 * The part of a policy's module that one role needs: its declaration and what that mentions. What only a policy does
 * at its top (reading tokens, asking an API for hosts, the default export with its hooks) stays behind. A statement
 * of no declaration comes along when it mentions something kept, since it may complete it (`table.x = 1`).
 *
 * `completion`: a program that calls its own functions mentions them at its top, so only assignments to members of
 * what is kept come along then.
 *
 * `local` is the role's name inside the module; the result exports it as `role`. Positions stay as they were.
 */
export function sliceModule(
  code: string,
  local: string,
  completion: "mentions" | "assignments" = "mentions",
): string {
  const program = parseModule(code);
  const statements = (program.body as SyntaxNode[]).map(describe);
  const owners = new Map<string, Statement>();
  for (const statement of statements) for (const name of statement.declares) owners.set(name, statement);
  const kept = new Set<Statement>(statements.filter((statement) => statement.kind === "from"));
  const pending = [local];
  const settle = () => {
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      const owner = owners.get(name);
      if (!owner || kept.has(owner)) continue;
      kept.add(owner);
      pending.push(...owner.uses);
    }
  };
  settle();
  const completes = (statement: Statement) =>
    [...(completion === "mentions" ? statement.uses : assignedTo(statement.node))].some((name) => {
      const owner = owners.get(name);
      return owner?.kind === "declaration" && kept.has(owner);
    });
  for (let more = true; more; settle()) {
    const found = statements.filter((one) => one.kind === "other" && !kept.has(one) && completes(one));
    more = found.length > 0;
    for (const statement of found) {
      kept.add(statement);
      pending.push(...statement.uses);
    }
  }
  let result = code;
  for (const statement of statements) if (!kept.has(statement)) result = blank(result, statement.node);
  return `${result}\nexport { ${local} as role };\n`;
}

/** The name whose member a statement sets: `table` of `table.a.b = 1`. */
function assignedTo({ expression }: SyntaxNode): string[] {
  if (!isNode(expression) || expression.type !== "AssignmentExpression") return [];
  let target = expression.left;
  while (isNode(target) && target.type === "MemberExpression") target = target.object;
  return target === expression.left ? [] : boundNames(target);
}

/** Blanked, not cut: lines and columns in errors stay right. */
function blank(code: string, { start, end }: SyntaxNode): string {
  return code.slice(0, start) + code.slice(start, end).replace(/[^\n]/g, " ") + code.slice(end);
}

function describe(node: SyntaxNode): Statement {
  const declares = declaredNames(node);
  const statement = (kind: Statement["kind"], uses = new Set<string>()) => ({ node, declares, uses, kind });
  switch (node.type) {
    case "ImportDeclaration":
      // A bare import is for its side effects; esbuild's warning tells the user where it stands.
      return statement(declares.length === 0 ? "from" : "import");
    case "ExportAllDeclaration":
      return statement("drop");
    case "ExportDefaultDeclaration":
      return statement("drop");
    case "ExportNamedDeclaration":
      return isNode(node.declaration) ? statement("declaration", freeNames(node)) : statement("drop");
    case "VariableDeclaration":
    case "FunctionDeclaration":
    case "ClassDeclaration":
      return statement("declaration", freeNames(node));
    default:
      return statement("other", freeNames(node));
  }
}

/** The name inside the module of what it exports as `name`; undefined when it comes from elsewhere. */
export function localOfExport(code: string, name: string): string | undefined {
  const owners = new Set<string>();
  let found: string | undefined;
  for (const node of parseModule(code).body as SyntaxNode[]) {
    if (node.type !== "ImportDeclaration") for (const declared of declaredNames(node)) owners.add(declared);
    if (node.type !== "ExportNamedDeclaration" || isNode(node.source)) continue;
    if (declaredNames(node).includes(name)) found = name;
    for (const specifier of node.specifiers as SyntaxNode[])
      if (exportedName(specifier) === name) found = boundNames(specifier.local)[0];
  }
  return found !== undefined && owners.has(found) ? found : undefined;
}

const exportedName = (specifier: SyntaxNode): unknown => {
  const exported = specifier.exported as SyntaxNode;
  return exported.type === "Identifier" ? exported.name : exported.value;
};

/**
 * For roles that aren't exported: the variable at a module's top that is `defineRole({ name: "..." })`, and the text in
 * which it is. Where the definition stands inside of a policy, a list or an object, the variable that holds these becomes
 * the role itself, and the rest of them stays behind. Undefined when only a run of the module could tell.
 */
export function localOfRole(
  code: string,
  role: string,
): { readonly local: string; readonly code: string } | undefined {
  for (const node of parseModule(code).body as SyntaxNode[]) {
    const declaration = isNode(node.declaration) ? node.declaration : node;
    if (declaration.type !== "VariableDeclaration") continue;
    for (const { id, init } of declaration.declarations as SyntaxNode[]) {
      const [local] = boundNames(id);
      if (local === undefined || !isNode(init)) continue;
      if (isRole(init, role)) return { local, code };
      const inside = roleInside(init, role);
      // What mentions the variable itself wants the whole of it.
      if (inside && (id as SyntaxNode).type === "Identifier" && !freeNames(inside).has(local))
        return { local, code: only(inside, init, code) };
    }
  }
  return undefined;
}

/** A definition, or a choice of which one is of this name. */
function isRole(node: SyntaxNode, role: string): boolean {
  if (node.type === "ConditionalExpression" || node.type === "LogicalExpression")
    return [node.consequent, node.alternate, node.left, node.right].some(
      (branch) => isNode(branch) && isRole(branch, role),
    );
  return definesRole(node, role);
}

/** A definition that is a part of this, as it stands: no function and no condition decides about it. */
function roleInside(node: SyntaxNode, role: string): SyntaxNode | undefined {
  if (definesRole(node, role)) return node;
  for (const part of partsOf(node)) {
    const found = isNode(part) ? roleInside(part, role) : undefined;
    if (found) return found;
  }
  return undefined;
}

function partsOf(node: SyntaxNode): unknown[] {
  if (node.type === "ArrayExpression") return node.elements as unknown[];
  if (node.type === "ObjectExpression")
    return (node.properties as SyntaxNode[]).map((property) => property.value);
  const isPolicy = node.type === "CallExpression" && (node.callee as SyntaxNode).name === "definePolicy";
  return isPolicy ? (node.arguments as unknown[]) : [];
}

/** A text in which a part of an expression stands in the place of the whole. */
function only(part: SyntaxNode, whole: SyntaxNode, code: string): string {
  const before = { ...whole, end: part.start };
  return blank(blank(code, before), { ...whole, start: part.end });
}

function definesRole(node: SyntaxNode, role: string): boolean {
  if (node.type !== "CallExpression" || (node.callee as SyntaxNode).name !== "defineRole") return false;
  const definition = (node.arguments as SyntaxNode[])[0];
  if (definition?.type !== "ObjectExpression") return false;
  return (definition.properties as SyntaxNode[]).some((property) => {
    const key = property.key as SyntaxNode | undefined;
    const value = property.value as SyntaxNode | undefined;
    return (key?.name ?? key?.value) === "name" && value?.value === role;
  });
}

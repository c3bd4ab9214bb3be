// Reads the declarations of the resource types with the compiler's own API. It is called unstable there, so it is used
// in this file only, and package-lock.json pins the compiler.
import path from "node:path";
import { API, SymbolFlags } from "typescript/unstable/sync";
import { loadTypes } from "./types.mjs";

/** What stands in the manual, and a sentence for each thing that is missing. */
export async function readManual(root) {
  const rules = await loadTypes(root);
  const api = new API({ cwd: root });
  try {
    const config = path.join(root, "tsconfig.build.json");
    const [project] = api.updateSnapshot({ openProjects: [config] }).getProjects();
    return new Reader(root, project, rules).read();
  } finally {
    api.close();
  }
}

class Reader {
  #root;
  #program;
  #checker;
  #rules;
  #declared = new Set();
  #faults = [];

  constructor(root, { program, checker }, rules) {
    this.#root = root;
    this.#program = program;
    this.#checker = checker;
    this.#rules = rules;
  }

  read() {
    const groups = this.#groups();
    for (const name of Object.keys(this.#rules.types))
      if (!this.#declared.has(name))
        this.#faults.push(
          `the type ${name} is not declared in ResourceFunctions (engine/vocabulary/resources/)`,
        );
    const common = this.#interface("common.ts", "CommonOptions");
    const result = this.#interface("common.ts", "Result");
    const manual = {
      groups,
      common: common.members.map((member) =>
        this.#option("CommonOptions", this.#symbol(member), this.#rules.common[member.name.text]),
      ),
      result: result.members.map((member) => this.#field("Result", this.#symbol(member))),
    };
    return { manual, faults: this.#faults };
  }

  /** A group for each interface that `ResourceFunctions` extends, in that order. */
  #groups() {
    const all = this.#interface("../resources.ts", "ResourceFunctions");
    return all.heritageClauses[0].types.map(({ expression }) => {
      const imported = this.#checker.getSymbolAtLocation(expression);
      const [handle] = this.#checker.getAliasedSymbol(imported).declarations;
      const declaration = handle.resolve();
      const file = path.basename(declaration.getSourceFile().fileName, ".ts");
      const functions = declaration.members.map((member) => this.#function(file, member));
      return { title: file[0].toUpperCase() + file.slice(1), functions: functions.filter(Boolean) };
    });
  }

  #function(file, member) {
    const name = member.name.text;
    this.#declared.add(name);
    const symbol = this.#symbol(member);
    const text = this.#checker.getDocumentationCommentOfSymbol(symbol);
    const examples = this.#checker
      .getJsDocTagsOfSymbol(symbol)
      .filter((tag) => tag.name === "example" && tag.text)
      .map((tag) => tag.text);
    const type = this.#rules.types[name];
    const missing = [!text && "docstring", examples.length === 0 && "@example"].filter(Boolean);
    if (missing.length > 0)
      this.#faults.push(
        `the function ${name} has no ${missing.join(" and no ")} (engine/vocabulary/resources/${file}.ts)`,
      );
    if (!type) this.#faults.push(`the function ${name} has no type in engine/leaf/types/table.ts or a part`);
    if (missing.length > 0 || !type) return undefined;
    const [first, second] = member.parameters;
    return {
      name,
      text,
      examples,
      signature: `${name}(${member.parameters.map((parameter) => parameter.getText()).join(", ")})`,
      label: first.name.text,
      providers: type.providers?.map((provider) => provider.name) ?? [],
      options: second ? this.#options(name, type, this.#checker.getTypeAtLocation(second.type)) : [],
      result: this.#result(name, member.type.typeArguments[0]),
    };
  }

  /** In the order of the type's rules; those of all types are told once, unless this one has words of its own. */
  #options(name, type, declared) {
    const ofAll = Object.entries(this.#rules.common).filter(
      ([option]) => interfaceOf(this.#checker.getPropertyOfType(declared, option)) !== "CommonOptions",
    );
    const rules = {
      ...type.options,
      ...(type.providers ? this.#rules.provider : {}),
      ...Object.fromEntries(ofAll),
    };
    return Object.entries(rules).map(([option, rule]) =>
      this.#option(name, this.#checker.getPropertyOfType(declared, option), rule),
    );
  }

  #option(of, symbol, rule) {
    const text = this.#checker.getDocumentationCommentOfSymbol(symbol);
    if (!text) this.#faults.push(`the option ${symbol.name} of ${of} has no docstring`);
    return { name: symbol.name, expected: rule.expected, required: !isOptional(symbol), text };
  }

  #result(name, node) {
    const type = this.#checker.getTypeAtLocation(node);
    return this.#checker
      .getPropertiesOfType(type)
      .filter((symbol) => interfaceOf(symbol) !== "Result")
      .map((symbol) => this.#field(name, symbol));
  }

  #field(of, symbol) {
    const text = this.#checker.getDocumentationCommentOfSymbol(symbol);
    if (!text) this.#faults.push(`the result's field ${symbol.name} of ${of} has no docstring`);
    const type = symbol.declarations[0].resolve().type.getText();
    return { name: symbol.name, optional: isOptional(symbol), type, text };
  }

  #interface(file, name) {
    const at = path.join(this.#root, "engine/vocabulary/resources", file);
    return this.#program.getSourceFile(at).statements.find((statement) => statement.name?.text === name);
  }

  #symbol(member) {
    return this.#checker.getSymbolAtLocation(member.name);
  }
}

/** The name of the interface that declares a property. */
const interfaceOf = (symbol) => symbol.declarations[0].resolve().parent.name.text;

const isOptional = (symbol) => (symbol.flags & SymbolFlags.Optional) !== 0;

import { readFile } from "node:fs/promises";
import path from "node:path";
import { parseDocument } from "yaml";
import { isPlainObject, plainObject } from "./inventory/plain.js";
import { parseShorthand, ShorthandError } from "./inventory/shorthand.js";
import { readToml } from "./inventory/toml.js";
import { messageOf, PolicyError } from "./policy-error.js";
import type { PlainVars } from "./variables.js";

/** `--extra-vars`, as often as it was given: `k=v k2=v2`, `{"k": "v"}`, or `@file` in JSON, TOML or YAML. Later ones win. */
export async function readExtraVars(
  given: readonly string[],
  cwd: string = process.cwd(),
): Promise<PlainVars> {
  let vars: PlainVars = {};
  for (const text of given) vars = { ...vars, ...(await readOne(text, cwd)) };
  return vars;
}

async function readOne(text: string, cwd: string): Promise<PlainVars> {
  if (text.startsWith("@")) {
    const file = path.resolve(cwd, text.slice(1));
    const value = await readVarsFile(file);
    if (!isPlainObject(value))
      throw new PolicyError("the file for --extra-vars holds no names and values", { file });
    return plainObject(value, `--extra-vars ${text}`);
  }
  if (text.trimStart().startsWith("{")) return plainObject(parseInline(text), "--extra-vars");
  try {
    return parseShorthand(text);
  } catch (error) {
    if (error instanceof ShorthandError)
      throw new PolicyError(`--extra-vars: ${error.message}; write 'name=value name2="a b"' or @file`);
    throw error;
  }
}

/** A text that begins with a brace can be nothing but an object, if it can be read. */
function parseInline(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    // JSON.parse cites the text, which may hold a secret; where it stumbled is enough.
    const at = /at position \d+/.exec(messageOf(error))?.[0];
    throw new PolicyError(`--extra-vars: what begins with "{" is no valid JSON${at ? ` (${at})` : ""}`);
  }
}

async function readVarsFile(file: string): Promise<unknown> {
  const kind = path.extname(file).toLowerCase();
  if (kind === ".toml") return readToml(file, "file for --extra-vars");
  if (kind !== ".json" && kind !== ".yaml" && kind !== ".yml")
    throw new PolicyError("the file for --extra-vars is none of .json, .toml, .yaml", { file });
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "does not exist" : `can't be read (${code})`;
    throw new PolicyError(`the file for --extra-vars ${why}`, { file });
  }
  try {
    if (kind === ".json") return JSON.parse(text) as unknown;
    const document = parseDocument(text, { prettyErrors: true });
    const problem = document.errors[0];
    if (problem) throw problem;
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    throw new PolicyError(`the file for --extra-vars can't be read: ${messageOf(error)}`, { file });
  }
}

import { readFile } from "node:fs/promises";
import { parse, TomlError } from "smol-toml";
import type { RawInventory } from "../../vocabulary/inventory.js";
import { PolicyError } from "../policy-error.js";

/** Reads an inventory file; what is wrong with its text is told with line and column. */
export async function readTomlInventory(file: string): Promise<RawInventory> {
  return (await readToml(file, "inventory")) as RawInventory;
}

export async function readToml(file: string, what: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === "ENOENT" ? "does not exist" : `can't be read (${code})`;
    throw new PolicyError(`the ${what} ${why}`, { file });
  }
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const why = error.message.split("\n", 1)[0]!.replace(/^Invalid TOML document: /, "");
    throw new PolicyError(`the ${what} is no valid TOML: ${why}`, {
      file,
      line: error.line,
      column: error.column,
    });
  }
}

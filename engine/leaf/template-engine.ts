import type { Vars } from "../vocabulary/language.js";

/** Where a template finds the others that it includes. */
export interface TemplateFiles {
  has(path: string): boolean;
  read(path: string): Promise<string>;
}

/** What the part "templates" exports: the border between the wing and the engine, which comes only when needed. */
export interface TemplateEngine {
  /**
   * `name` is the template's path, for includes beside it and for errors. Rejects with an Error whose message is one
   * sentence with the template's name and line.
   */
  render(name: string, text: string, vars: Vars, files: TemplateFiles): Promise<string>;
}

import { ValueError } from "./errors.js";
import { parseTemplate, type Template } from "./parse.js";
import { items, kindOf } from "./values.js";

/** Where templates come from; `read` may take its time. */
export interface TemplateSource {
  has(path: string): boolean;
  read(path: string): Promise<string>;
}

/** Thrown while rendering: a template must be fetched first, then everything starts anew (nothing has any effect). */
export class NotYet extends Error {
  readonly path: string;

  constructor(path: string) {
    super(path);
    this.path = path;
  }
}

/** The templates that one rendering needs, parsed once each. */
export class Library {
  readonly #source: TemplateSource;
  readonly #parsed = new Map<string, Template>();

  constructor(source: TemplateSource) {
    this.#source = source;
  }

  async fetch(path: string): Promise<void> {
    this.#parsed.set(path, parseTemplate(path, await this.#source.read(path)));
  }

  /** The first of these names that came along with the role: beside the template that names it, or below the policy. */
  find(names: unknown, from: string): Template | undefined {
    for (const name of typeof names === "string" ? [names] : items(names)) {
      if (typeof name !== "string")
        throw new ValueError(`a template's name must be a text, not ${kindOf(name)}`);
      const path = [beside(name, from), beside(name, "")].find((place) => this.#source.has(place));
      if (path === undefined) continue;
      const parsed = this.#parsed.get(path);
      if (!parsed) throw new NotYet(path);
      return parsed;
    }
    return undefined;
  }
}

function beside(name: string, from: string): string {
  const parts: string[] = [];
  for (const part of [...from.split("/").slice(0, -1), ...name.split("/")]) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts[parts.length - 1] !== "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}

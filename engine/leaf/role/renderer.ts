import type { Facts } from "../../vocabulary/facts.js";
import type { Vars } from "../../vocabulary/language.js";
import type { HostView, RolePlan } from "../../vocabulary/order.js";
import { Refusal, refuse } from "../errors.js";
import type { OfferedFiles } from "../files/offered.js";
import type { ModuleLoader } from "../modules/loader.js";
import type { TemplateEngine } from "../template-engine.js";
import type { Renderer } from "../type.js";
import { templateVariables } from "./variables.js";

/** Larger files are no templates. */
const MAX_TEMPLATE = 1024 * 1024;
/** Without one of these a text stands for itself, and the engine need not come. */
const MARKS = /\{\{|\{%|\{#/;

export interface RendererParts {
  readonly loader: Pick<ModuleLoader, "load">;
  readonly offered: OfferedFiles;
  readonly plan: Pick<RolePlan, "parts" | "extraVars">;
  readonly vars: Vars;
  readonly facts: Facts;
  readonly host: HostView;
}

/** Templates over the role's variables, facts and host; the engine is a part of its own, fetched at the first use. */
export class RoleRenderer implements Renderer {
  readonly #parts: RendererParts;
  #engine: Promise<TemplateEngine> | undefined;

  constructor(parts: RendererParts) {
    this.#parts = parts;
  }

  async file(path: string, local: Vars): Promise<string> {
    const text = await this.#read(path);
    return this.#render(path, text, local);
  }

  async text(text: string, local: Vars): Promise<string> {
    return this.#render("the text", text, local);
  }

  async #render(name: string, text: string, local: Vars): Promise<string> {
    if (!MARKS.test(text)) return text;
    this.#engine ??= this.#load();
    const engine = await this.#engine;
    const { facts, host, vars, plan, offered } = this.#parts;
    const all = templateVariables({ facts, host, ...vars }, local, plan.extraVars);
    try {
      return await engine.render(name, text, all, {
        has: (path) => offered.has(path),
        read: (path) => this.#read(path),
      });
    } catch (error) {
      throw new Refusal(error instanceof Error ? error.message : String(error));
    }
  }

  async #read(path: string): Promise<string> {
    const { size } = this.#parts.offered.find(path);
    if (size > MAX_TEMPLATE)
      throw new Refusal(
        `the template "${path}" has ${size} bytes; a template may have ${MAX_TEMPLATE} at most`,
      );
    return (await this.#parts.offered.read(path)).toString("utf8");
  }

  async #load(): Promise<TemplateEngine> {
    const hash = this.#parts.plan.parts.templates;
    if (hash === undefined) throw new Refusal("the template engine did not come along with the role");
    try {
      const part = await this.#parts.loader.load({ hash, file: "templates.js", packages: {} });
      return part as unknown as TemplateEngine;
    } catch (error) {
      // Another template may try again.
      this.#engine = undefined;
      throw refuse("the template engine can't be loaded", error);
    }
  }
}

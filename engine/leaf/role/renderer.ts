import type { Facts } from "../../vocabulary/facts.js";
import type { Vars } from "../../vocabulary/language.js";
import type { HostView, RolePlan } from "../../vocabulary/order.js";
import { Refusal } from "../errors.js";
import type { OfferedFiles } from "../files/offered.js";
import type { PartLoader } from "../modules/part-loader.js";
import type { TemplateEngine } from "../template-engine.js";
import type { Renderer } from "../type.js";
import { templateVariables } from "./variables.js";

/** Larger files are no templates. */
const MAX_TEMPLATE = 1024 * 1024;
/** Without one of these a text stands for itself, and the engine need not come. */
const MARKS = /\{\{|\{%|\{#/;

export interface RendererParts {
  readonly parts: Pick<PartLoader, "load">;
  readonly offered: OfferedFiles;
  readonly plan: Pick<RolePlan, "extraVars">;
  readonly vars: Vars;
  readonly facts: Facts;
  readonly host: HostView;
}

/** Templates over the role's variables, facts and host; the engine is a part of its own, fetched at the first use. */
export class RoleRenderer implements Renderer {
  readonly #parts: RendererParts;

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
    const engine = (await this.#parts.parts.load("templates")) as unknown as TemplateEngine;
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
}

import type { Vars } from "../../vocabulary/language.js";
import type { TemplateEngine, TemplateFiles } from "../template-engine.js";
import { TemplateError } from "../templates/errors.js";
import { Library, NotYet } from "../templates/library.js";
import { parseTemplate } from "../templates/parse.js";
import { Rendering } from "../templates/render.js";

/** The part "templates": Jinja templates, in the wing's own engine (docs/templates.md says why). */
export const render: TemplateEngine["render"] = async (
  name: string,
  text: string,
  vars: Vars,
  files: TemplateFiles,
): Promise<string> => {
  try {
    const library = new Library(files);
    const template = parseTemplate(name, text);
    for (;;) {
      try {
        return new Rendering(library, vars).render(template);
      } catch (error) {
        if (!(error instanceof NotYet)) throw error;
        await library.fetch(error.path);
      }
    }
  } catch (error) {
    if (error instanceof TemplateError) throw new Error(error.sentence);
    if (error instanceof RangeError) throw new Error(`the template ${name} is nested too deeply`);
    throw error;
  }
};

import type { FileResult, LineInFileOptions } from "../../../vocabulary/resources.js";
import { Refusal } from "../../errors.js";
import { rules } from "../../options.js";
import type { ResourceType } from "../../type.js";
import { EDIT_RULES, pattern, planEdit, positionIn } from "./edit.js";

/** One line of a text file. */
export const lineInFile: ResourceType<LineInFileOptions, FileResult> = {
  name: "lineInFile",
  options: { line: rules.text, regexp: rules.pattern, ...EDIT_RULES },
  async plan(context, name, options) {
    const { line, regexp } = options;
    if (line !== undefined && /[\r\n]/.test(line))
      throw new Refusal('the option "line" must be one line; blockInFile takes several');
    if (options.absent) {
      if (line === undefined && regexp === undefined)
        throw new Refusal('with "absent" it needs "line" or "regexp": what is removed');
      const test = regexp === undefined ? undefined : pattern(regexp);
      return planEdit(context, name, options, (lines) =>
        lines.filter((one) => one !== line && !test?.test(one)),
      );
    }
    if (line === undefined) throw new Refusal('it needs the option "line"');
    return planEdit(context, name, options, (lines) => withLine(lines, line, options));
  },
};

function withLine(lines: readonly string[], line: string, options: LineInFileOptions): readonly string[] {
  if (options.regexp !== undefined) {
    const test = pattern(options.regexp);
    let last = lines.length - 1;
    while (last >= 0 && !test.test(lines[last]!)) last--;
    if (last >= 0) return lines.map((one, index) => (index === last ? line : one));
  }
  if (lines.includes(line)) return lines;
  const at = positionIn(lines, options);
  return [...lines.slice(0, at), line, ...lines.slice(at)];
}

import type { BlockInFileOptions, FileResult } from "../../../vocabulary/resources.js";
import { Refusal } from "../../errors.js";
import { rules } from "../../options.js";
import type { ResourceType } from "../../type.js";
import { EDIT_RULES, planEdit, positionIn } from "./edit.js";

const MARKER = "# {mark} managed by mop";

/** Several lines of a text file, between two marks. */
export const blockInFile: ResourceType<BlockInFileOptions, FileResult> = {
  name: "blockInFile",
  options: { block: rules.text, marker: rules.text, ...EDIT_RULES },
  async plan(context, name, options) {
    const { block, marker = MARKER, absent } = options;
    if (!marker.includes("{mark}") || /[\r\n]/.test(marker))
      throw new Refusal('the option "marker" must be one line with {mark} in it');
    if (absent && block !== undefined) throw new Refusal('it can\'t have both "block" and "absent"');
    if (!absent && block === undefined) throw new Refusal('it needs the option "block"');
    const marks = { begin: marker.replace("{mark}", "BEGIN"), end: marker.replace("{mark}", "END") };
    const inner = block?.replace(/\r?\n$/, "").split(/\r?\n/);
    if (inner?.some((line) => line === marks.begin || line === marks.end))
      throw new Refusal("the block may not have one of its own marks in it");
    const whole = inner && (block === "" ? [marks.begin, marks.end] : [marks.begin, ...inner, marks.end]);
    return planEdit(context, name, options, (lines) => {
      const old = findBlock(lines, marks);
      if (!whole) return old ? [...lines.slice(0, old.from), ...lines.slice(old.to)] : lines;
      if (old) return [...lines.slice(0, old.from), ...whole, ...lines.slice(old.to)];
      const at = positionIn(lines, options);
      return [...lines.slice(0, at), ...whole, ...lines.slice(at)];
    });
  },
};

/** Throws a Refusal where one mark stands without the other: what is between is not ours to guess. */
function findBlock(
  lines: readonly string[],
  marks: { readonly begin: string; readonly end: string },
): { from: number; to: number } | undefined {
  const from = lines.indexOf(marks.begin);
  const to = lines.indexOf(marks.end);
  if (from < 0 && to < 0) return undefined;
  if (from < 0 || to < from)
    throw new Refusal(
      `the mark "${from < 0 ? marks.end : marks.begin}" stands there without the other one; put the file right by hand`,
    );
  return { from, to: to + 1 };
}

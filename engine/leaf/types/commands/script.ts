import { mkdtemp, open, rm } from "node:fs/promises";
import path from "node:path";
import type { ScriptOptions, ShellResult } from "../../../vocabulary/resources.js";
import { refuse } from "../../errors.js";
import { spoolFolder } from "../../files/spool.js";
import { either, rules } from "../../options.js";
import type { ResourceType, TypeContext } from "../../type.js";
import { NOT_RUN, PROGRAM_RULES, type Program, planProgram } from "../program.js";

/** Bytes in which the line `#!` ends, as the kernel has it */
const MAX_FIRST_LINE = 256;

/** A file beside the policy, run on the host and removed. */
export const script: ResourceType<ScriptOptions, ShellResult> = {
  name: "script",
  options: { args: rules.list, interpreter: either(rules.path, rules.list), ...PROGRAM_RULES },
  blank: NOT_RUN,
  async plan(context, source, options) {
    context.offered.find(source);
    let folder: string | undefined;
    const put = async (): Promise<Program> => {
      folder = await mkdtemp(path.join(spoolFolder(), "mop-script-")).catch((error: unknown) => {
        throw refuse(`no temporary folder can be made in ${spoolFolder()}`, error);
      });
      const at = path.join(folder, path.basename(source));
      const first = await write(context, source, at);
      const [file, ...front] = interpreterOf(options.interpreter, first);
      return { what: "the script", file: file!, args: [...front, at, ...(options.args ?? [])] };
    };
    return planProgram(context, options, put, async () => {
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    });
  },
};

/** Writes the script, for nobody else to read; gives its beginning. */
async function write({ offered }: TypeContext, source: string, at: string): Promise<string> {
  const handle = await open(at, "wx", 0o700);
  const first: Uint8Array[] = [];
  try {
    for await (const piece of offered.stream(source, true)) {
      if (first.length === 0) first.push(piece.subarray(0, MAX_FIRST_LINE));
      await handle.appendFile(piece);
    }
  } catch (error) {
    throw refuse("the script can't be written", error);
  } finally {
    await handle.close();
  }
  return Buffer.concat(first).toString("utf8").split("\n", 1)[0] ?? "";
}

/** By name and not by the kernel: where scripts lie for a while programs may not be run. */
function interpreterOf(given: string | readonly string[] | undefined, first: string): readonly string[] {
  if (given !== undefined && given.length > 0) return typeof given === "string" ? [given] : given;
  const [, program, argument] = /^#!\s*(\S+)(?:\s+(.*\S))?\s*$/.exec(first) ?? [];
  if (program === undefined) return ["/bin/sh"];
  return argument === undefined ? [program] : [program, argument];
}

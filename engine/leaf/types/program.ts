import type { CreatesOptions, ShellResult } from "../../vocabulary/resources.js";
import type { Plan } from "../../vocabulary/types.js";
import { Refusal } from "../errors.js";
import { absolute } from "../files/files.js";
import { rules } from "../options.js";
import { Collector } from "../process/collector.js";
import { withLastLine } from "../process/execute.js";
import type { TypeContext } from "../type.js";

export const NOT_RUN = { rc: null, stdout: "", stderr: "" } as const;

/** Rules of the options that everything which runs a program takes. */
export const PROGRAM_RULES = {
  cwd: rules.path,
  env: rules.environment,
  stdin: rules.bytes,
  readOnly: rules.flag,
  creates: rules.path,
  removes: rules.path,
} as const;

export interface ProgramOptions extends CreatesOptions {
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  stdin?: string | Uint8Array;
  readOnly?: boolean;
}

/** What is run, as messages call it: "the command". */
export interface Program {
  readonly what: string;
  readonly file: string;
  readonly args: readonly string[];
}

/** The plan of running a program, unless what it makes is there or what it removes is not. */
export async function planProgram(
  context: TypeContext,
  options: ProgramOptions,
  program: Program | (() => Promise<Program>),
  after: () => Promise<void> = async () => undefined,
): Promise<Plan<ShellResult>> {
  const cwd = options.cwd === undefined ? undefined : absolute(options.cwd);
  const readOnly = options.readOnly ?? false;
  if (readOnly && (options.creates ?? options.removes) !== undefined)
    throw new Refusal('it can\'t be "readOnly" and have "creates" or "removes"');
  if (await isDone(context, options, cwd))
    return { actions: [], apply: async () => [], extra: () => NOT_RUN };
  if (cwd !== undefined && (await isPlannedOnly(context, cwd)) && readOnly)
    return { actions: [], apply: async () => [], extra: () => NOT_RUN };
  const actions = readOnly ? [] : ["run"];
  let outcome: Pick<ShellResult, "rc" | "stdout" | "stderr"> = NOT_RUN;
  let failure: string | undefined;
  return {
    actions,
    readOnly,
    foresee: () => context.files.doubt(),
    extra: () => outcome,
    failure: () => failure,
    async apply() {
      const collected = { stdout: new Collector(), stderr: new Collector() };
      try {
        const { what, file, args } = typeof program === "function" ? await program() : program;
        const exit = await context.children.run({
          file,
          args,
          ...(cwd === undefined ? {} : { cwd }),
          ...(options.env ? { env: options.env } : {}),
          ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
          signal: context.signal,
          async onOutput(stream, text) {
            collected[stream].add(text);
            await context.output(stream, text);
          },
        });
        outcome = { rc: exit.rc, stdout: collected.stdout.text, stderr: collected.stderr.text };
        if (exit.signal) failure = `${what} was ended by ${exit.signal}`;
        else if (exit.rc !== 0)
          failure = withLastLine(`${what} ended with status ${exit.rc}`, outcome.stderr);
      } finally {
        await after();
      }
      return actions;
    },
  };
}

async function isDone(
  { files, uncertain }: TypeContext,
  options: CreatesOptions,
  cwd: string | undefined,
): Promise<boolean> {
  const stands = async (at: string) => (await files.resolve(absolute(at, cwd), true)).entry !== undefined;
  if (options.creates !== undefined && (await stands(options.creates))) return true;
  // What a command before it may have made by then may be there to be removed.
  return options.removes !== undefined && !(await stands(options.removes)) && !uncertain();
}

/**
 * Under --check: whether a folder will be there, or may be, but is not yet. What only looks at it can't run then. Throws
 * a Refusal for one that will not be.
 */
async function isPlannedOnly({ check, files, uncertain }: TypeContext, cwd: string): Promise<boolean> {
  const { path, entry } = await files.resolve(cwd, true);
  const at = `the command can't be started in the folder ${cwd}: `;
  if (entry && entry.kind !== "directory") throw new Refusal(`${at}it is no folder`);
  if (!entry && !uncertain()) throw new Refusal(`${at}it does not exist`);
  return check && (!entry || (entry.fresh === true && files.isForeseen(path)));
}

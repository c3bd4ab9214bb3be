import type { ShellOptions, ShellResult } from "../../vocabulary/resources.js";
import { Refusal } from "../errors.js";
import { absolute } from "../files/files.js";
import { rules } from "../options.js";
import { Collector } from "../process/collector.js";
import { withLastLine } from "../process/execute.js";
import type { ResourceType } from "../type.js";

const NOT_RUN = { rc: null, stdout: "", stderr: "" } as const;

/** A command, run by /bin/sh. */
export const shell: ResourceType<ShellOptions, ShellResult> = {
  name: "shell",
  options: { cwd: rules.path, env: rules.environment, stdin: rules.bytes, readOnly: rules.flag },
  blank: NOT_RUN,
  async plan(context, command, options) {
    if (command.trim() === "") throw new Refusal("the command is empty");
    const cwd = options.cwd === undefined ? undefined : absolute(options.cwd);
    let outcome: Pick<ShellResult, "rc" | "stdout" | "stderr"> = NOT_RUN;
    let failure: string | undefined;
    return {
      actions: options.readOnly ? [] : ["run"],
      readOnly: options.readOnly ?? false,
      foresee: () => context.files.doubt(),
      extra: () => outcome,
      failure: () => failure,
      async apply() {
        const collected = { stdout: new Collector(), stderr: new Collector() };
        const exit = await context.children.run({
          file: "/bin/sh",
          args: ["-c", command],
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
        if (exit.signal) failure = `the command was ended by ${exit.signal}`;
        else if (exit.rc !== 0)
          failure = withLastLine(`the command ended with status ${exit.rc}`, outcome.stderr);
        return options.readOnly ? [] : ["run"];
      },
    };
  },
};

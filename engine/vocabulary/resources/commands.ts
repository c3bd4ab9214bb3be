import type { Vars } from "../language.js";
import type { CommonOptions, Result } from "./common.js";

export interface ShellResult extends Result {
  /** Exit status; -1 when a signal ended it, null when it was not run */
  readonly rc: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ShellOptions extends CommonOptions<ShellResult> {
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  stdin?: string | Uint8Array;
  /** Runs under --check too and never counts as a change */
  readOnly?: boolean;
}

export interface EchoOptions extends CommonOptions {
  /** Local scope of the text: over the role's variables */
  vars?: Vars;
}

export interface CommandFunctions {
  shell(command: string, options?: ShellOptions): Promise<ShellResult>;
  /** Says something to the operator; a template over the role's variables and facts */
  echo(message: string, options?: EchoOptions): Promise<Result>;
}

import type { Vars } from "../language.js";
import type { CommonOptions, Result } from "./common.js";

export interface ShellResult extends Result {
  /** Exit status; -1 when a signal ended it, null when it was not run */
  readonly rc: number | null;
  /** Up to 1 Mi characters, half from the beginning, half from the end; the operator sees all */
  readonly stdout: string;
  /** As stdout */
  readonly stderr: string;
}

export interface ShellOptions extends CommonOptions<ShellResult> {
  /** The folder that it runs in. Default: where a login begins, its home; in `mop local` the working folder */
  cwd?: string;
  /** Over the environment of the user that the role runs as */
  env?: Readonly<Record<string, string>>;
  /** What it reads. Default: nothing */
  stdin?: string | Uint8Array;
  /** It changes nothing: it runs under --check too and never counts as a change. Default false */
  readOnly?: boolean;
}

export interface EchoOptions extends CommonOptions {
  /** Local scope of the text: over the role's variables */
  vars?: Vars;
}

export interface CommandFunctions {
  /**
   * Runs a command by /bin/sh; its output is shown as it comes. A status other than 0 is a failure, unless `failedWhen`
   * says otherwise. What it started is ended with the role.
   *
   * It counts as a change unless `readOnly` or `changedWhen` says otherwise. Under --check it is not run: it counts as
   * changed, since it would run, or as skipped where `changedWhen` is false.
   *
   * @example
   * const { stdout } = await shell("ls /srv | wc -l", { readOnly: true });
   * await echo(`${stdout.trim()} things in /srv`);
   * @example
   * await shell("make install", { cwd: "/", env: { PREFIX: "/usr/local" }, timeout: 600 });
   */
  shell(command: string, options?: ShellOptions): Promise<ShellResult>;
  /**
   * Says something to the operator; a template over the role's variables and facts. Never a change.
   *
   * @example
   * await echo("{{ facts.hostname }} has {{ facts.cpus.count }} processors and sells {{ what }}", { vars: { what: "tea" } });
   */
  echo(message: string, options?: EchoOptions): Promise<Result>;
}

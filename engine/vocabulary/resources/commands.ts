import type { Facts } from "../facts.js";
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

/** The result of one that ran, which is what its `changedWhen`, `failedWhen` and `until` are asked about. */
export interface RanResult extends ShellResult {
  readonly rc: number;
}

export interface CreatesOptions {
  /** A path that it makes, relative to `cwd`: where something stands there it is not run, and nothing changed */
  creates?: string;
  /** A path that it takes away, relative to `cwd`: where nothing stands there it is not run, and nothing changed */
  removes?: string;
}

export interface ShellOptions extends CommonOptions<RanResult>, CreatesOptions {
  /** The folder that it runs in. Default: where a login begins, its home; in `mop local` the working folder */
  cwd?: string;
  /** Variables over those of the environment */
  env?: Readonly<Record<string, string>>;
  /** What it reads from its standard input. Default: nothing */
  stdin?: string | Uint8Array;
  /** It changes nothing: it runs under --check too and never counts as a change. Default false */
  readOnly?: boolean;
}

export interface CommandOptions extends ShellOptions {
  /** Arguments, given to the program as they are: no shell reads them */
  args?: readonly string[];
}

export interface ScriptOptions extends ShellOptions {
  /** Arguments of the script */
  args?: readonly string[];
  /** Program that runs it, with arguments of its own in front: "python3" or ["perl", "-w"]. Default: its line `#!` */
  interpreter?: string | readonly string[];
}

export interface GitResult extends Result {
  /** The commit that was checked out before; null: none */
  readonly before: string | null;
  /** The commit that is checked out now, or would be under --check; null: not known yet */
  readonly after: string | null;
}

export interface GitOptions extends CommonOptions<GitResult> {
  /** What is cloned: an address as `git clone` takes it */
  repo: string;
  /** A branch, a tag or a whole commit id. Default: what the repository's HEAD names */
  version?: string;
  /** Commits of history that are fetched. Default: all */
  depth?: number;
  /** Throws away what was changed in the files by hand; without it that is a failure. Default false */
  force?: boolean;
  /** false: what is cloned once is left as it is. Default true */
  update?: boolean;
}

export interface WaitForOptions extends CommonOptions {
  /** A TCP port that someone listens on */
  port?: number;
  /** The port's host, as this host reaches it. Default "127.0.0.1" */
  address?: string;
  /** A path at which something stands */
  file?: string;
  /** A command for /bin/sh that ends with status 0 */
  command?: string;
  /** An http or https address that answers with `status` */
  url?: string;
  /** Default: any from 200 to 299 */
  status?: number;
  /** What the file, the command's output or the answer must contain: a text or a regular expression */
  contains?: string | RegExp;
  /** Whether it shall be so or shall not be so any more. Default "present" */
  state?: "present" | "absent";
  /** Seconds until it is given up. Default 300 */
  timeout?: number;
  /** Seconds between two looks. Default 1 */
  interval?: number;
}

export interface AssertOptions extends CommonOptions {
  /** What must be true */
  that: boolean | (() => boolean);
  /** What is said when it isn't. Default: the name */
  message?: string;
}

export interface DebugFactsOptions extends CommonOptions {
  /** Names of the facts that are shown, with dots for what is inside: "distribution.id". Default: all */
  only?: readonly (keyof Facts | (string & {}))[];
}

export interface EchoOptions extends CommonOptions {
  /** Local scope of the text: over the role's variables */
  vars?: Vars;
}

export interface RebootOptions extends CommonOptions {
  /** Seconds until the host must be back. Default: 600 */
  wait?: number;
  /** Restarts it, run by /bin/sh. Default: what systemd or the system has for it */
  command?: string;
}

export interface CommandFunctions {
  /**
   * Restarts the host, waits for it to come back over the same route, and goes on. `main` runs from its beginning again
   * then, and each resource that ran before the reboot gives its result of then: what `main` does beside its resources
   * is done twice. Always a change; under --check nothing is restarted.
   *
   * @example
   * await reboot("the new kernel", { wait: 300 });
   */
  reboot(why: string, options?: RebootOptions): Promise<Result>;
  /**
   * Runs a command by /bin/sh; its output is shown as it comes. With `timeout` it is ended after so many seconds, with
   * all that it started. A status other than 0 is a failure, unless `failedWhen` says otherwise. What it started is
   * ended with the role.
   *
   * It counts as a change unless `readOnly` or `changedWhen` says otherwise. Under --check it is not run: it counts as
   * changed, since it would run, or as skipped where `changedWhen` is false.
   *
   * @example
   * const { stdout } = await shell("ls /srv | wc -l", { readOnly: true });
   * await echo(`${stdout.trim()} things in /srv`);
   * await shell("make install", { cwd: "/usr/src/app", creates: "/usr/local/bin/app", timeout: 600 });
   */
  shell(command: string, options?: ShellOptions): Promise<ShellResult>;
  /**
   * Runs a program with arguments, without a shell: nothing in them needs quotes. All else is as with `shell`.
   * @example
   * await command("useradd", { args: ["--system", "app"], creates: "/home/app" });
   */
  command(program: string, options?: CommandOptions): Promise<ShellResult>;
  /**
   * Runs a file beside the policy on the host; it is removed there afterwards. All else is as with `shell`.
   * @example
   * await script("scripts/setup.sh", { args: ["--fast"], creates: "/var/lib/app/ready" });
   */
  script(source: string, options?: ScriptOptions): Promise<ShellResult>;
  /**
   * A clone of a git repository in a folder, with a version of it checked out. The host needs git, and its own way to
   * the repository.
   * @example
   * await git("/srv/app", { repo: "https://git.example.com/app.git", version: "v1.2.0", depth: 1 });
   */
  git(path: string, options: GitOptions): Promise<GitResult>;
  /**
   * Waits until a port, a file, a command or a web address is as it shall be. Never a change; under --check it does
   * not wait.
   * @example
   * await waitFor("the shop answers", { url: "http://127.0.0.1:8080/health", timeout: 60 });
   * await waitFor("the old one is gone", { port: 8081, state: "absent" });
   */
  waitFor(what: string, options: WaitForOptions): Promise<Result>;
  /**
   * Fails the role where something isn't as it must be; under --check too.
   * @example
   * await assert("there is memory enough", { that: facts.memory.total >= 2 ** 30 });
   */
  assert(what: string, options: AssertOptions): Promise<Result>;
  /**
   * Shows the host's facts to the operator, as JSON.
   * @example
   * await debugFacts("what runs here", { only: ["distribution", "serviceManager"] });
   */
  debugFacts(title: string, options?: DebugFactsOptions): Promise<Result>;
  /**
   * Says something to the operator; a template over the role's variables and facts. Never a change.
   *
   * @example
   * await echo("{{ facts.hostname }} has {{ facts.cpus.count }} processors and sells {{ what }}", { vars: { what: "tea" } });
   */
  echo(message: string, options?: EchoOptions): Promise<Result>;
}

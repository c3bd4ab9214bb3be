/**
 * What a role does around a reboot, on a host in a state: how often it is restarted, and how often when it is run once
 * more. `vars.at` is the state's folder, `down` what restarts the host there.
 */
export interface RebootState {
  readonly claim: string;
  /** Files of the folder, and what is in them */
  readonly state?: Readonly<Record<string, string>>;
  readonly body: string;
  readonly reboots: number;
  readonly again: number;
  /** What the failure's sentence contains */
  readonly error?: string;
}

const one = (claim: string, body: string, reboots: number, again: number, state = {}): RebootState => ({
  claim,
  body,
  reboots,
  again,
  state,
});
const refused = (claim: string, options: string, error: string): RebootState => ({
  claim,
  body: `await reboot("why", ${options});`,
  reboots: 0,
  again: 0,
  error,
});
const IF = `if (done.changed) await reboot("it changed", down);`;
const FILE = `const done = await file(vars.at + "/a", { content: "x" }); ${IF}`;
const MODE = `const done = await file(vars.at + "/a", { mode: 0o600 }); ${IF}`;
const GONE = `const done = await file(vars.at + "/a", { absent: true }); ${IF}`;
const LINK = `const done = await link(vars.at + "/l", { to: "a" }); ${IF}`;
const FOLDER = `const done = await directory(vars.at + "/d"); ${IF}`;
const ONCE = `const done = await shell("touch " + vars.at + "/k", { creates: vars.at + "/k" }); ${IF}`;
const NEED = `
  const { stdout } = await shell("cat " + vars.at + "/need", { readOnly: true });
  if (stdout.trim() === "yes") await reboot("it needs one", down);`;
const TWO = `
  for (const name of ["a", "b"])
    if ((await file(vars.at + "/" + name, { content: name })).changed) await reboot(name, down);`;

export const REBOOTS: readonly RebootState[] = [
  one("always", `await reboot("why", down);`, 1, 1),
  one("twice, always", `await reboot("one", down); await reboot("two", down);`, 2, 2),
  one("it waits a while", `await reboot("why", { ...down, wait: 30 });`, 1, 1),
  one("a file is new", FILE, 1, 0),
  one("a file has another content", FILE, 1, 0, { a: "y" }),
  one("a file is right", FILE, 0, 0, { a: "x" }),
  one("a mode differs", MODE, 1, 0, { a: "x" }),
  one("a file that shall go is there", GONE, 1, 0, { a: "x" }),
  one("a file that shall go is not there", GONE, 0, 0),
  one("a link is new", LINK, 1, 0),
  one("a folder is new", FOLDER, 1, 0),
  one("a folder is there", FOLDER, 0, 0, { "d/x": "" }),
  one("a command makes what is missing", ONCE, 1, 0),
  one("what a command makes is there", ONCE, 0, 0, { k: "" }),
  one("a question says that it is needed", NEED, 1, 1, { need: "yes" }),
  one("a question says that it is not", NEED, 0, 0, { need: "no" }),
  one("two files are new", TWO, 2, 0),
  one("one of two files is new", TWO, 1, 0, { a: "a" }),
  one("both files are right", TWO, 0, 0, { a: "a", b: "b" }),
  one(
    "behind a failure that is ignored",
    `await file("/none/a", { ignoreErrors: true }); await reboot("why", down);`,
    1,
    1,
  ),
  one(
    "behind a failure that is caught",
    `try { await file("/none/a"); } catch { await reboot("why", down); }`,
    1,
    1,
  ),
  one(
    "between changes",
    `await file(vars.at + "/a", { content: "1" }); await reboot("why", down); await file(vars.at + "/b", { content: "2" });`,
    1,
    1,
  ),
  one(
    "it counts as no change",
    `const { changed } = await reboot("why", { ...down, changedWhen: false }); await echo(String(changed));`,
    0,
    0,
  ),
  refused("a time that is none", "{ ...down, wait: 0 }", '"wait" must be a number of seconds above 0'),
  refused("a command that is none", "{ command: 5 }", '"command" must be a string'),
  refused("an option that it does not have", "{ ...down, now: true }", 'it has no option "now"'),
  refused("failed by its own word", "{ ...down, failedWhen: true }", '"failedWhen" says'),
];

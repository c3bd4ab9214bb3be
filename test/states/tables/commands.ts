import type { ShellResult } from "../../../engine/vocabulary/resources.js";
import { type Draft, type NamelessDraft, type State, type StateTable, statesOf } from "../state.js";

const RUN = ["run"];

/** What everything that runs a program does alike; `run` gives a command line in the words of one of them. */
function programs(run: (line: string) => Pick<State, "name" | "options" | "offered">): Draft[] {
  const one = (claim: string, line: string, rest: Omit<NamelessDraft, "claim">): Draft => {
    const { name, options, offered } = run(line);
    return {
      claim,
      name,
      ...rest,
      options: { ...options, ...rest.options },
      ...(offered ? { offered } : {}),
    };
  };
  return [
    one("it is run, each time", "echo x >>a", { changes: RUN, each: true, stands: 'test "$(cat a)" = x' }),
    one("it makes what is missing, once", "touch a", {
      options: { creates: "{here}/a" },
      changes: RUN,
      stands: "test -e a",
    }),
    one("what it makes is there", "false", {
      prepare: "touch a",
      options: { creates: "{here}/a" },
      changes: [],
    }),
    one("what it makes is there behind a link", "false", {
      prepare: "touch b; ln -s b a",
      options: { creates: "{here}/a" },
      changes: [],
    }),
    one("a link that leads nowhere is not what it makes", "rm a; touch a", {
      prepare: "ln -s gone a",
      options: { creates: "{here}/a" },
      changes: RUN,
      stands: "test -f a",
    }),
    one("a folder is what it makes, too", "false", {
      prepare: "mkdir a",
      options: { creates: "{here}/a" },
      changes: [],
    }),
    one("it removes what is there, once", "rm a", {
      prepare: "touch a",
      options: { removes: "{here}/a" },
      changes: RUN,
      stands: "test ! -e a",
    }),
    one("what it removes is gone", "false", { options: { removes: "{here}/a" }, changes: [] }),
    one("it turns one thing into another, once", "mv a b", {
      prepare: "touch a",
      options: { creates: "{here}/b", removes: "{here}/a" },
      changes: RUN,
      stands: "test -e b; test ! -e a",
    }),
    one("not where both are there", "false", {
      prepare: "touch a b",
      options: { creates: "{here}/b", removes: "{here}/a" },
      changes: [],
    }),
    one("nor where neither is", "false", {
      options: { creates: "{here}/b", removes: "{here}/a" },
      changes: [],
    }),
    one("a question is answered under --check too", "cat a", {
      prepare: "echo seen >a",
      options: { readOnly: true },
      changes: [],
      says: ["stdout:seen\n"],
    }),
    one("a question that fails does so in the check", "cat b", {
      options: { readOnly: true },
      error: "ended with status 1",
    }),
    one("a question may fail where failedWhen says so", "exit 3", {
      options: { readOnly: true, failedWhen: (result: ShellResult) => result.rc !== 3 },
      changes: [],
    }),
    one("a question whose answer is wrong fails in the check", "echo no", {
      options: { readOnly: true, failedWhen: (result: ShellResult) => !result.stdout.includes("yes") },
      error: '"failedWhen" says',
    }),
    one("what changes nothing by its own word is skipped by a check", "cat a", {
      prepare: "touch a",
      options: { changedWhen: false },
      changes: [],
      skipped: true,
    }),
    one("what always changes something is said to", "true", {
      options: { changedWhen: true },
      changes: RUN,
      each: true,
    }),
    one("a status that failedWhen accepts is none", "exit 4", {
      options: { failedWhen: false },
      changes: RUN,
      each: true,
    }),
    one("it has its environment and its input", 'printf %s "$WORD" >a; cat >>a', {
      options: { env: { WORD: "one " }, stdin: "two" },
      changes: RUN,
      each: true,
      stands: 'test "$(cat a)" = "one two"',
    }),
    one("it has its folder, and its time", "pwd >a", {
      prepare: "mkdir d",
      options: { cwd: "{here}/d", timeout: 10 },
      changes: RUN,
      each: true,
      stands: "test -s d/a",
    }),
    one("a question has its folder", "cat a", {
      prepare: "mkdir d; echo d >d/a",
      options: { cwd: "{here}/d", readOnly: true },
      changes: [],
      says: ["stdout:d\n"],
    }),
    one("a folder that is missing is told by the check", "true", {
      options: { cwd: "{here}/none" },
      error: "it does not exist",
    }),
    one("a folder that is a file is told by the check", "true", {
      prepare: "touch f",
      options: { cwd: "{here}/f" },
      error: "it is no folder",
    }),
    one("what it makes is there, so a missing folder is no matter", "true", {
      prepare: "touch a",
      options: { cwd: "{here}/none", creates: "{here}/a" },
      changes: [],
    }),
  ];
}

const CWD = { cwd: "{here}" };
const SHELLS = programs((line) => ({ name: line, options: CWD }));
const COMMANDS = programs((line) => ({ name: "sh", options: { args: ["-c", line], ...CWD } }));
const SCRIPTS = programs((line) => ({
  name: "it.sh",
  options: CWD,
  offered: { "it.sh": `#!/bin/sh\n${line}\n` },
}));

/**
 * `waitFor` does not wait under --check: what comes about is no change, what never does is not foreseen. It comes about by
 * the look itself here: by a clock it might while the check is looked at, which would count as written by that.
 */
const WAITS: readonly NamelessDraft[] = [
  { claim: "a file that is there", prepare: "touch a", options: { file: "{here}/a" } },
  { claim: "a folder that is there", options: { file: "{here}" } },
  { claim: "a file behind a link", prepare: "touch b; ln -s b a", options: { file: "{here}/a" } },
  {
    claim: "a file below a link to its folder",
    prepare: "mkdir d; touch d/a; ln -s d l",
    options: { file: "{here}/l/a" },
  },
  {
    claim: "a file with a text in it",
    prepare: "echo 'it is ready now' >a",
    options: { file: "{here}/a", contains: "is ready" },
  },
  {
    claim: "a file with what a pattern fits",
    prepare: "echo 'port 8080' >a",
    options: { file: "{here}/a", contains: /^port \d+$/m },
  },
  { claim: "a file that is not there", options: { file: "{here}/a", state: "absent" } },
  { claim: "a file below a folder that is not there", options: { file: "{here}/a/b", state: "absent" } },
  {
    claim: "a link that leads nowhere counts as none",
    prepare: "ln -s gone a",
    options: { file: "{here}/a", state: "absent" },
  },
  {
    claim: "a command that succeeds at first",
    prepare: "touch a",
    options: { command: "test -e {here}/a && rm {here}/a", state: "absent", interval: 0.05 },
  },
  {
    claim: "a file without a text",
    prepare: "echo x >a",
    options: { file: "{here}/a", contains: "y", state: "absent" },
  },
  { claim: "a command that ends well", options: { command: "true" } },
  {
    claim: "a command's output",
    prepare: "echo up >a",
    options: { command: "cat {here}/a", contains: "up" },
  },
  { claim: "a command that ends with another status", options: { command: "exit 3", state: "absent" } },
  {
    claim: "a command that fails at first",
    options: { command: "test -e {here}/a || { touch {here}/a; exit 1; }", interval: 0.05 },
  },
  { claim: "a port that someone listens on", options: { port: "{port}" } },
  { claim: "a port at an address", options: { port: "{port}", address: "localhost" } },
  { claim: "a port that nobody listens on", options: { port: "{free}", state: "absent" } },
  { claim: "a page", options: { url: "http://127.0.0.1:{port}/" } },
  { claim: "a page with another status", options: { url: "http://127.0.0.1:{port}/gone", status: 404 } },
  { claim: "a page with a text", options: { url: "http://127.0.0.1:{port}/", contains: /it works/i } },
  { claim: "a page that nobody serves", options: { url: "http://127.0.0.1:{free}/", state: "absent" } },
].map((state) => ({ name: state.claim, changes: [], says: [], ...state }));

const one = (claim: string, that: unknown, rest: Omit<NamelessDraft, "claim"> = {}): NamelessDraft => ({
  claim,
  name: claim,
  changes: [],
  says: [],
  ...rest,
  options: { that, ...rest.options },
});
const ASSERTS: readonly NamelessDraft[] = [
  one("true", true),
  one("a comparison", 1 + 1 === 2),
  one("a function that gives true", () => true),
  one("a function of what is around", () => [3, 1, 2].sort().join() === "1,2,3"),
  one("a function that looks at the environment", () => process.env.PATH !== undefined),
  one("true with a message for the other case", true, { options: { message: "never said" } }),
  one("true with time enough", true, { options: { timeout: 5 } }),
  one("true that is tried again", () => true, { options: { retries: 2, delay: 0 } }),
  one("true with tags", true, { options: { tags: ["a"] } }),
  one("what is false may not count", false, { options: { ignoreErrors: true }, error: "it is not so" }),
  one("a failure that failedWhen would not see", false, {
    options: { failedWhen: false },
    error: "it is not so",
  }),
  one("false", false, { error: "it is not so: false" }),
  one("false with a message", false, { options: { message: "add some" }, error: "add some" }),
  one("a function that gives false", () => false, { error: "it is not so" }),
  one("a function that gives a text", () => "yes", { error: "must give true or false, not string" }),
  one("a function that gives nothing", () => undefined, { error: "must give true or false, not undefined" }),
  one("a function that gives null", () => null, { error: "not null" }),
  one("a promise", async () => true, { error: "not object" }),
  one("a function that throws", () => JSON.parse("{"), { error: '"that" threw an error' }),
  one("a text is no condition", "true", { error: '"that" must be true, false or a function' }),
  one("nothing is no condition", undefined, { error: 'needs the option "that"' }),
];

const shown = (claim: string, text: string, said: string, vars?: object): NamelessDraft => ({
  claim,
  name: text,
  changes: [],
  says: [`stdout:${said}\n`],
  ...(vars ? { options: { vars } } : {}),
});
const ECHOES: readonly NamelessDraft[] = [
  shown("a text", "hello", "hello"),
  shown("several lines", "a\nb", "a\nb"),
  shown("a text that ends with a line keeps its one end", "a\n", "a"),
  shown("quotes and shell's marks are text", `$HOME "a" 'b' \`c\``, `$HOME "a" 'b' \`c\``),
  shown("text in any script", "καλημέρα ☕", "καλημέρα ☕"),
  shown("a variable of the role", "port {{ port }}", "port 8080"),
  shown("a local variable", "{{ what }}", "tea", { what: "tea" }),
  shown("a local variable over the role's", "{{ port }}", "1", { port: 1 }),
  shown("a fact", "{{ facts.platform }}", process.platform),
  shown("the host", "{{ host.name }}", "l1"),
  shown("a list", "{{ names | join(', ') }}", "a, b"),
  shown("a loop", "{% for n in names %}<{{ n }}>{% endfor %}", "<a><b>"),
  shown("a condition", "{% if port > 80 %}high{% else %}low{% endif %}", "high"),
  shown("a default", "{{ nothing | default('none') }}", "none"),
  shown("filters in a row", "{{ 'abc' | upper | length }}", "3"),
  shown("a comment is left out", "a{# not b #}c", "ac"),
  shown("what is raw stays", "{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
  shown("a number that was calculated", "{{ port + 1 }}", "8081"),
  shown("a part of an object", "{{ o.a.b }}", "1", { o: { a: { b: 1 } } }),
  { claim: "a variable that is not defined", name: "{{ nosuch }}", error: "nosuch", says: [] },
  { claim: "a template that does not end", name: "{% if x %}", error: "if", says: [] },
];

const facts = (
  claim: string,
  only: readonly string[] | undefined,
  rest: Omit<NamelessDraft, "claim"> = {},
): NamelessDraft => ({
  claim,
  name: claim,
  changes: [],
  ...rest,
  ...(only === undefined ? {} : { options: { only } }),
});
const told = (title: string, value: object): NamelessDraft =>
  facts(title, undefined, { says: [`stdout:${title}: ${JSON.stringify(value, undefined, 2)}\n`] });
const FACTS: readonly NamelessDraft[] = [
  facts("two", ["platform", "node"], told("two", { platform: process.platform, node: process.version })),
  ...["hostname", "fqdn", "platform", "architecture", "kernel", "distribution", "cpus", "addresses"].map(
    (name) => facts(`the fact ${name}`, [name]),
  ),
  ...["user", "packageManager", "serviceManager", "node"].map((name) => facts(`the fact ${name}`, [name])),
  ...["distribution.id", "distribution.like", "cpus.count", "memory.total", "user.name"].map((name) =>
    facts(`what is inside: ${name}`, [name]),
  ),
  facts("the same twice", ["platform", "platform"], told("the same twice", { platform: process.platform })),
  facts("no fact at all", [], told("no fact at all", {})),
  facts("a fact that nobody knows", ["color"], { error: 'no fact "color"', says: [] }),
  facts("nothing is inside a text", ["platform.id"], { error: 'no fact "platform.id"', says: [] }),
  facts("what every object has is no fact", ["constructor"], { error: 'no fact "constructor"', says: [] }),
];

/** A repository with two commits on main, the first with the tag v1, and a branch "side" at the first. */
const ORIGIN = `export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
commit() { echo $1 >o/a; git -C o add a; git -C o commit -qm $1; }
git init -q -b main o; commit 1; git -C o tag -a v1 -m one; git -C o branch side; commit 2
clone() { git clone -q "$@" file://$PWD/o c; }
`;
const REPO = "file://{here}/o";
const cloned = (
  claim: string,
  prepare: string,
  options: object,
  changes: readonly string[],
  text: string,
  stands = "",
): NamelessDraft => ({
  claim,
  name: "{here}/c",
  prepare: ORIGIN + prepare,
  options: { repo: REPO, ...options },
  changes,
  stands: `test "$(cat c/a)" = ${text}; ${stands}`,
});
const on = (branch: string) => `test "$(git -C c rev-parse --abbrev-ref HEAD)" = ${branch}`;
const refused = (claim: string, prepare: string, options: object, error: string): NamelessDraft => ({
  claim,
  name: "{here}/c",
  prepare: ORIGIN + prepare,
  options: { repo: REPO, ...options },
  error,
});
const GITS: readonly NamelessDraft[] = [
  cloned("nothing is there", "", {}, ["clone"], "2", on("main")),
  cloned("an empty folder is there", "mkdir c", {}, ["clone"], "2"),
  cloned("a branch", "", { version: "side" }, ["clone"], "1", on("side")),
  cloned("a tag", "", { version: "v1" }, ["clone"], "1", on("HEAD")),
  cloned(
    "one commit of history",
    "",
    { depth: 1 },
    ["clone"],
    "2",
    "test $(git -C c rev-list --count HEAD) = 1",
  ),
  cloned("a tag, one commit of history", "", { version: "v1", depth: 1 }, ["clone"], "1"),
  cloned("a clone that is right", "clone", {}, [], "2"),
  cloned(
    "one of git's own making, with its tag checked out",
    "clone; git -C c checkout -q v1",
    { version: "v1" },
    [],
    "1",
  ),
  cloned("the branch moved", "clone; commit 3", {}, ["version"], "3", on("main")),
  cloned("another branch", "clone", { version: "side" }, ["version"], "1", on("side")),
  cloned("back from a tag", "clone; git -C c checkout -q v1", {}, ["version"], "2", on("main")),
  cloned("from a clone without history to a tag", "clone --depth 1", { version: "v1" }, ["version"], "1"),
  cloned(
    "the repository's history was written anew",
    "clone; git -C o reset -q --hard v1; commit 9",
    {},
    ["version"],
    "9",
  ),
  cloned("left as it is", "clone; commit 3", { update: false }, [], "2"),
  cloned("files of nobody's stay", "clone; echo x >c/mine", {}, [], "2", "test -e c/mine"),
  cloned("what was changed by hand goes by force", "clone; echo x >c/a", { force: true }, ["reset"], "2"),
  cloned("what was removed by hand comes back by force", "clone; rm c/a", { force: true }, ["reset"], "2"),
  cloned(
    "changed by hand, and the branch moved",
    "clone; echo x >c/a; commit 3",
    { force: true },
    ["reset", "version"],
    "3",
  ),
  cloned(
    "from another address",
    "clone; mv o moved; cp -r moved o; git -C c remote set-url origin file://$PWD/moved",
    {},
    ["repo"],
    "2",
  ),
  cloned("a clone that broke off", "git init -q c", {}, ["repo", "version"], "2"),
  cloned(
    "commits of one's own on the branch give way",
    "clone; echo 5 >c/a; git -C c commit -qam 5",
    {},
    ["version"],
    "2",
  ),
  refused(
    "what was changed by hand",
    "clone; echo x >c/a",
    {},
    "files in it were changed by hand, a among them",
  ),
  refused("another folder is in the way", "mkdir c; touch c/x", {}, "is no clone"),
  refused("a file is in the way", "touch c", {}, "a file stands there"),
  refused("a version that is not there", "", { version: "v9" }, 'no branch and no tag "v9"'),
  refused("a repository that is not there", "rm -r o", {}, "the repository can't be read"),
];

const of = (type: State["type"], states: readonly NamelessDraft[]): State[] =>
  statesOf(
    type,
    states.map((state) => ({ name: state.claim, ...state })),
  );

export const COMMAND_STATES: StateTable = {
  states: [
    ...of("shell", SHELLS),
    ...of("command", COMMANDS),
    ...of("script", SCRIPTS),
    ...of("waitFor", WAITS),
    ...of("assert", ASSERTS),
    ...of("echo", ECHOES),
    ...of("debugFacts", FACTS),
    ...of("git", GITS),
  ],
};

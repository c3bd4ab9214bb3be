import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { built, changedOf, type MopRun, mop, ROOT, resourcesOf } from "../../support/mop.js";

/** What each resource did or would do. */
const deeds = (run: MopRun) =>
  resourcesOf(run).map(({ type, name, status, changes, diff, error }) => ({
    type,
    name,
    status,
    changes,
    diff,
    error,
  }));

const spoken = (run: MopRun): string =>
  run.events.flatMap((event) => (event.event === "output" ? [event.text] : [])).join("");

interface Demo {
  readonly name: string;
  /** Default: `mop local` */
  readonly command?: readonly string[];
  /** What the first run changes, in order */
  readonly changes: readonly (string | RegExp)[];
  /** A file that is there then, and what is in it */
  readonly leaves: readonly [file: string, content: string | RegExp];
  /** Something that the operator is told in every run */
  readonly says?: string | RegExp;
}

const DEMOS: readonly Demo[] = [
  {
    name: "hello",
    changes: ["directory hello", "file hello.txt"],
    leaves: ["hello/hello.txt", "Hello, world!\n"],
    says: `Hello from ${os.hostname().split(".")[0]}`,
  },
  {
    name: "basics",
    changes: [
      "directory conf",
      "file app.conf",
      "file check",
      "copyTree site",
      "link current",
      "directory users",
      "file ann",
      "file bob",
      ...(process.platform === "linux" ? ["lineInFile limits"] : []),
      "command cp",
    ],
    leaves: [
      "basics/conf/app.conf",
      /^# shop, as mop wrote it for .+\nport = 8080\nworkers = \d+\nallow = ann\nallow = bob\n$/,
    ],
    says: /shop is set up on \w+ for ann, bob/,
  },
  {
    name: "changes",
    changes: [
      "directory changes",
      "file app.conf",
      "shell echo restarted >> restarts.log",
      "file a.conf",
      "file b.conf",
      "shell cat a.conf b.conf > all.conf",
      /^shell .*now tuned/,
    ],
    leaves: ["changes/all.conf", "a\nb\n"],
  },
  {
    name: "errors",
    changes: ["directory errors", "file words", "file report", "file end"],
    leaves: ["errors/report", "the shell failed\n"],
    says: "there is 0 time cocoa",
  },
  {
    name: "user-facts",
    changes: ["directory user-facts", "file host"],
    leaves: ["user-facts/host", /^system \w+ on \w+\nshells \/.+\nfacts of its own: .+\n$/],
    says: "the host's file is there",
  },
  {
    name: "variable-scopes",
    command: ["push", "-F", "none"],
    changes: ["role", "entry"].flatMap((who) => [
      `directory scopes-of-${who}`,
      "file code",
      "file template",
      "file local",
    ]),
    leaves: [
      "scopes-of-entry/template",
      /^group says group\nhost says host\npolicy says policy\nrole says role\nlocal says local\nnobody says nothing: .+\nshared = entry\n$/,
    ],
  },
];

describe.skipIf(!built).each(DEMOS)("examples/$name", (demo) => {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(path.join(os.tmpdir(), "mop-examples-"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  test("does first what its check said, and nothing the second time", async () => {
    const [command = "local", ...options] = demo.command ?? [];
    const policy = path.join(ROOT, "examples", demo.name);
    const run = async (...args: string[]) => {
      const ran = await mop([command, policy, ...options, "-o", "json", "-e", `root=${root}`, ...args]);
      expect(ran.status, ran.stderr + ran.stdout).toBe(0);
      return ran;
    };
    const planned = await run("--check", "--diff");
    expect(readdirSync(root), "a check writes nothing").toEqual([]);
    // The same text was checked a moment ago.
    const first = await run("--diff", "--no-type-check");
    expect(deeds(first)).toEqual(deeds(planned));
    expect(changedOf(first)).toEqual(
      demo.changes.map((one) => (typeof one === "string" ? one : expect.stringMatching(one))),
    );
    const [file, content] = demo.leaves;
    const found = readFileSync(path.join(root, file), "utf8");
    expect(found).toEqual(typeof content === "string" ? content : expect.stringMatching(content));
    const second = await run("--diff", "--no-type-check");
    expect(changedOf(second)).toEqual([]);
    if (demo.says) for (const ran of [first, second]) expect(spoken(ran)).toMatch(demo.says);
  });
});

describe.skipIf(!built)("what the examples teach", () => {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(path.join(os.tmpdir(), "mop-examples-"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  const run = (args: string, extra = "") =>
    mop([...args.split(" "), "--no-type-check", "-o", "json", "-e", `root=${root} ${extra}`]);
  const read = (file: string) => readFileSync(path.join(root, file), "utf8");

  test("changes: a handler runs once for an edit of its file, and not for one of another", async () => {
    await run("local examples/changes");
    writeFileSync(path.join(root, "changes/app.conf"), "port = 1\n");
    const repaired = await run("local examples/changes");
    expect(changedOf(repaired)).toEqual(["file app.conf", "shell echo restarted >> restarts.log"]);
    expect(spoken(repaired)).toContain("app.conf: content");
    expect(read("changes/restarts.log")).toBe("restarted\nrestarted\n");
    writeFileSync(path.join(root, "changes/b.conf"), "");
    expect(changedOf(await run("local examples/changes"))).toEqual([
      "file b.conf",
      "shell cat a.conf b.conf > all.conf",
    ]);
  });

  test("errors: the ignored, the tolerated and the caught failure are told apart; one that nobody catches ends the role", async () => {
    const strict = await run("local examples/errors", "strict=true");
    expect(strict.status).toBe(2);
    const seen = resourcesOf(strict).map(
      ({ type, status, ignored }) => `${type} ${ignored ? "ignored" : status}`,
    );
    expect(seen).toEqual([
      "directory changed",
      "file ignored",
      "echo ok",
      "file changed",
      "shell ok",
      "echo ok",
      "shell failed",
      "file changed",
      "shell ok",
      "assert failed",
    ]);
    expect(existsSync(path.join(root, "errors/end"))).toBe(false);
    expect(resourcesOf(strict).at(-1)?.error).toBe("strict was asked for, so this is the end");
  });

  test("variable-scopes: each place stands over the one before, in code as in templates", async () => {
    const shared = () =>
      ["role/code", "role/template", "role/local", "entry/code", "entry/template", "entry/local"].map(
        (file) => read(`scopes-of-${file}`).trim().split("\n").at(-1)?.replace("shared = ", ""),
      );
    await run("push examples/variable-scopes -F none");
    expect(shared()).toEqual(["role", "role", "local", "entry", "entry", "local"]);
    await run("push examples/variable-scopes -F none", "shared=extra");
    expect(shared()).toEqual(["extra", "extra", "extra", "extra", "extra", "extra"]);
  });

  test("hello: --extra-vars stand over the role's defaults", async () => {
    expect(changedOf(await run("local examples/hello", "greeting=Hi"))).toContain("file hello.txt");
    expect(read("hello/hello.txt")).toBe("Hi, world!\n");
  });
});

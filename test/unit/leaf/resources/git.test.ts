import { execFileSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { GitResult } from "../../../../engine/vocabulary/resources.js";
import { tempFolder } from "../../controller/temp-folder.js";
import { look, Run } from "./stage.js";

const ENV = {
  ...process.env,
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@b",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@b",
  GIT_CONFIG_GLOBAL: "/dev/null",
};

interface Repository {
  readonly folder: string;
  readonly url: string;
  readonly at: string;
  git(...args: string[]): string;
  commit(text: string): Promise<string>;
}

/** A repository with two commits on main, the first with the tag v1 (annotated), and a branch side. */
async function repository(): Promise<Repository> {
  const folder = await tempFolder();
  const origin = path.join(folder, "origin");
  await mkdir(origin);
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", origin, ...args], { env: ENV, encoding: "utf8", stdio: "pipe" }).trim();
  const commit = async (text: string) => {
    await writeFile(path.join(origin, "a"), text);
    git("add", "a");
    git("commit", "-qm", text);
    return git("rev-parse", "HEAD");
  };
  git("init", "-q", "-b", "main");
  await commit("1\n");
  git("tag", "-a", "v1", "-m", "one");
  git("branch", "side");
  await commit("2\n");
  return { folder, url: `file://${origin}`, at: path.join(folder, "clone"), git, commit };
}

const inClone = (at: string, ...args: string[]) =>
  execFileSync("git", ["-C", at, ...args], { encoding: "utf8", stdio: "pipe" }).trim();

/** What a check says is what the run then does; gives that. */
async function play(at: string, options: object) {
  const planned = await new Run({ check: true, diff: true }).do("git", at, options);
  const done = await new Run({ diff: true }).do("git", at, options);
  expect(done).toEqual(planned);
  return { ...done.report, ...(done.result as GitResult) };
}

describe("git", () => {
  test.each([
    ["the repository's own branch", {}, "2\n", "main"],
    ["a branch", { version: "side" }, "1\n", "side"],
    ["a tag", { version: "v1" }, "1\n", "HEAD"],
    ["a branch, the last commit alone", { depth: 1 }, "2\n", "main"],
    ["a tag, its commit alone", { version: "v1", depth: 1 }, "1\n", "HEAD"],
  ])("clones %s, the second time without change", async (_, options, text, head) => {
    const { url, at } = await repository();
    expect(await play(at, { repo: url, ...options })).toMatchObject({
      status: "changed",
      changes: ["clone"],
      before: null,
      diff: expect.stringMatching(/^commit: none -> [0-9a-f]{10}\n$/),
    });
    expect(await readFile(`${at}/a`, "utf8")).toBe(text);
    expect(inClone(at, "rev-parse", "--abbrev-ref", "HEAD")).toBe(head);
    if ("depth" in options) expect(inClone(at, "rev-list", "--count", "HEAD")).toBe("1");
    expect(await play(at, { repo: url, ...options })).toMatchObject({ status: "ok", changes: [] });
  });

  test("clones a commit by its whole id, and a folder that is there but empty is fine", async () => {
    const { url, at, git } = await repository();
    await mkdir(at);
    const version = git("rev-parse", "side");
    expect(await play(at, { repo: url, version })).toMatchObject({ changes: ["clone"], after: version });
    expect(await readFile(`${at}/a`, "utf8")).toBe("1\n");
    expect(await play(at, { repo: url, version })).toMatchObject({ changes: [] });
  });

  test("makes the folders above the clone", async () => {
    const { url, folder } = await repository();
    expect(await play(`${folder}/x/y/clone`, { repo: url })).toMatchObject({ changes: ["clone"] });
    expect(await readFile(`${folder}/x/y/clone/a`, "utf8")).toBe("2\n");
  });

  test("follows the branch when it moved, by force too", async () => {
    const { url, at, git, commit } = await repository();
    await play(at, { repo: url });
    const third = await commit("3\n");
    expect(await play(at, { repo: url })).toMatchObject({ changes: ["version"], after: third });
    git("reset", "-q", "--hard", "v1");
    const other = await commit("other\n");
    expect(await play(at, { repo: url })).toMatchObject({
      changes: ["version"],
      before: third,
      after: other,
    });
    expect(await readFile(`${at}/a`, "utf8")).toBe("other\n");
  });

  test("goes to another version and back", async () => {
    const { url, at } = await repository();
    await play(at, { repo: url, depth: 1 });
    for (const [version, text] of [
      ["v1", "1\n"],
      ["main", "2\n"],
      ["side", "1\n"],
    ]) {
      expect(await play(at, { repo: url, version, depth: 1 })).toMatchObject({ changes: ["version"] });
      expect(await readFile(`${at}/a`, "utf8")).toBe(text);
    }
  });

  test("leaves a clone as it is with update: false", async () => {
    const { url, at, commit } = await repository();
    await play(at, { repo: url, update: false });
    await commit("3\n");
    expect(await play(at, { repo: url, update: false })).toMatchObject({ changes: [] });
    expect(await readFile(`${at}/a`, "utf8")).toBe("2\n");
  });

  test("refuses to throw away what was changed by hand, and does it with force", async () => {
    const { url, at, commit } = await repository();
    await play(at, { repo: url });
    await writeFile(`${at}/a`, "mine\n");
    await writeFile(`${at}/untracked`, "mine\n");
    const before = await look(at);
    const refused = await new Run().do("git", at, { repo: url });
    expect(refused.report.error).toBe(
      'files in it were changed by hand, a among them; "force: true" throws that away',
    );
    expect(await look(at)).toEqual(before);
    expect(await play(at, { repo: url, force: true })).toMatchObject({ changes: ["reset"] });
    expect(await readFile(`${at}/a`, "utf8")).toBe("2\n");
    expect(await readFile(`${at}/untracked`, "utf8")).toBe("mine\n");
    await writeFile(`${at}/a`, "mine\n");
    await commit("3\n");
    expect(await play(at, { repo: url, force: true })).toMatchObject({ changes: ["reset", "version"] });
    expect(await readFile(`${at}/a`, "utf8")).toBe("3\n");
  });

  test("gives a clone its new address", async () => {
    const { url, at, folder } = await repository();
    await play(at, { repo: url });
    execFileSync("cp", ["-r", `${folder}/origin`, `${folder}/moved`]);
    const repo = `file://${folder}/moved`;
    expect(await play(at, { repo })).toMatchObject({ changes: ["repo"] });
    expect(inClone(at, "remote", "get-url", "origin")).toBe(repo);
    expect(await play(at, { repo })).toMatchObject({ changes: [] });
  });

  test("names a version that is not there, and makes nothing", async () => {
    const { url, at, folder } = await repository();
    const { report } = await new Run().do("git", at, { repo: url, version: "v9" });
    expect(report.error).toContain('no branch and no tag "v9"');
    expect(Object.keys(await look(folder)).filter((name) => name.startsWith("clone"))).toEqual([]);
  });

  test("goes on where a clone broke off", async () => {
    const { url, at } = await repository();
    execFileSync("git", ["init", "-q", at]);
    expect(await play(at, { repo: url })).toMatchObject({ changes: ["repo", "version"], before: null });
    expect(await readFile(`${at}/a`, "utf8")).toBe("2\n");
  });

  test("a check changes nothing in a clone, its index included", async () => {
    const { url, at } = await repository();
    await play(at, { repo: url });
    await writeFile(`${at}/a`, "2\n");
    const before = await look(at);
    await new Run({ check: true }).do("git", at, { repo: url, version: "v1" });
    expect(await look(at)).toEqual(before);
  });

  test("a host without git is told, but under --check not where a command before may install it", async () => {
    const { url, at } = await repository();
    const real = new Run();
    const children = {
      run: (command: Parameters<typeof real.children.run>[0]) =>
        real.children.run({ ...command, env: { ...command.env, PATH: "/nowhere" } }),
    };
    const { report } = await new Run({ children }).do("git", at, { repo: url });
    expect(report.error).toBe("the host has no git; install it before");
    const check = new Run({ children, check: true });
    await check.do("shell", "apt-get install git");
    expect((await check.do("git", at, { repo: url })).report).toMatchObject({ changes: ["clone"] });
  });
});

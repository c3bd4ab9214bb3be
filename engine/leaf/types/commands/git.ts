import path from "node:path";
import type { GitOptions, GitResult } from "../../../vocabulary/resources.js";
import { Refusal } from "../../errors.js";
import { mayWriteIn } from "../../files/access.js";
import { rules } from "../../options.js";
import { withLastLine } from "../../process/execute.js";
import { NOTHING, type Plan, type ResourceType, type TypeContext } from "../../type.js";

const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

/** A clone of a git repository. */
export const git: ResourceType<GitOptions, GitResult> = {
  name: "git",
  options: {
    repo: rules.text,
    version: rules.text,
    depth: rules.count,
    force: rules.flag,
    update: rules.flag,
  },
  async plan(context, name, options) {
    const { repo, version, update = true } = options;
    if (repo === undefined || repo === "") throw new Refusal('it needs the option "repo": what is cloned');
    if (options.depth === 0) throw new Refusal('the option "depth" must be 1 at least');
    // Both would be options of git's.
    for (const text of [repo, version ?? ""])
      if (text.startsWith("-")) throw new Refusal(`"${text}" is no repository and no version`);
    const place = await context.files.resolve(name, true);
    const { path: at, entry } = place;
    if (entry && entry.kind !== "directory") throw new Refusal("a file stands there");
    const names = entry ? await context.files.list(at) : [];
    const clone = new Clone(context, at, options);
    // What a command before it would have done may be the way to the repository, or git itself.
    const wantedNow = () =>
      clone.wanted().catch((error: unknown) => {
        if (context.check && context.uncertain()) return { commit: null };
        throw error;
      });
    if (names.length === 0) {
      const above = place.missing ?? at;
      await mayWriteIn(context.files, entry ? at : path.dirname(above));
      return planOf(clone, ["clone"], null, await wantedNow(), false);
    }
    if (!names.includes(".git"))
      throw new Refusal("the folder is not empty, and what is in it is no clone of a git repository");
    const before = await clone.head();
    if (!update && before !== null)
      return { ...NOTHING, extra: () => ({ before, after: before }) } as Plan<GitResult>;
    const wanted = await wantedNow();
    const dirty = await clone.dirty();
    const actions: string[] = [];
    if ((await clone.origin()) !== repo) actions.push("repo");
    if (dirty !== undefined) {
      if (!options.force)
        throw new Refusal(
          `files in it were changed by hand, ${dirty} among them; "force: true" throws that away`,
        );
      actions.push("reset");
    }
    if (before !== wanted.commit) actions.push("version");
    return planOf(clone, actions, before, wanted, true);
  },
};

function planOf(
  clone: Clone,
  actions: readonly string[],
  before: string | null,
  wanted: Wanted,
  exists: boolean,
): Plan<GitResult> {
  const short = (commit: string | null) => commit?.slice(0, 10) ?? "none";
  return {
    actions,
    extra: () => ({ before, after: wanted.commit }),
    ...(before === wanted.commit ? {} : { diff: `commit: ${short(before)} -> ${short(wanted.commit)}\n` }),
    async apply() {
      if (!exists) await clone.init();
      else if (actions.includes("repo")) await clone.setOrigin();
      if (before !== wanted.commit) await clone.fetch(wanted);
      await clone.checkout(wanted);
      return actions;
    },
  };
}

interface Wanted {
  /** null: not known yet */
  readonly commit: string | null;
  /** The name of a branch, a tag, or nothing for a commit */
  readonly branch?: string;
  readonly ref?: string;
}

class Clone {
  readonly #context: TypeContext;
  readonly #at: string;
  readonly #options: GitOptions;

  constructor(context: TypeContext, at: string, options: GitOptions) {
    this.#context = context;
    this.#at = at;
    this.#options = options;
  }

  /** The commit that the repository has for the version. */
  async wanted(): Promise<Wanted> {
    const { repo, version } = this.#options;
    if (version !== undefined && COMMIT.test(version)) return { commit: version };
    const listed = await this.#git(["ls-remote", "--symref", "--", repo], "the repository can't be read");
    const refs = new Map<string, string>();
    let head: string | undefined;
    for (const line of listed.split("\n")) {
      const [value = "", name = ""] = line.split("\t");
      if (value.startsWith("ref: ") && name === "HEAD") head = value.slice("ref: refs/heads/".length);
      else if (name !== "") refs.set(name, value);
    }
    const branch = version ?? head;
    if (version === undefined && branch === undefined) {
      const commit = refs.get("HEAD");
      if (commit === undefined) throw new Refusal("the repository is empty");
      return { commit };
    }
    const onBranch = refs.get(`refs/heads/${branch}`);
    if (branch !== undefined && onBranch !== undefined)
      return { commit: onBranch, branch, ref: `refs/heads/${branch}` };
    const tag = `refs/tags/${branch}`;
    const tagged = refs.get(`${tag}^{}`) ?? refs.get(tag);
    if (tagged !== undefined) return { commit: tagged, ref: tag };
    throw new Refusal(
      version === undefined
        ? "the repository is empty"
        : `the repository has no branch and no tag "${version}"; a commit is named by its whole id`,
    );
  }

  /** The commit that is checked out; null: none yet. */
  async head(): Promise<string | null> {
    const { rc, stdout, stderr } = await this.#run(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
    if (rc === 0) return stdout.trim();
    if (stderr.trim() !== "") throw new Refusal(withLastLine("the clone can't be looked at", stderr));
    return null;
  }

  async origin(): Promise<string | undefined> {
    const { rc, stdout } = await this.#run(["config", "--get", "remote.origin.url"]);
    return rc === 0 ? stdout.replace(/\n$/, "") : undefined;
  }

  /** The first file that differs from its commit. */
  async dirty(): Promise<string | undefined> {
    const status = await this.#git(
      ["status", "--porcelain", "--untracked-files=no", "-z"],
      "the clone can't be looked at",
    );
    return status === "" ? undefined : status.split("\0", 1)[0]!.slice(3);
  }

  async init(): Promise<void> {
    await this.#git(["init", "--quiet", "--", this.#at], "the folder can't be made a repository", "/");
    await this.setOrigin();
  }

  async setOrigin(): Promise<void> {
    const failed = "the clone's repository can't be set";
    await this.#git(["config", "remote.origin.url", this.#options.repo], failed);
    await this.#git(["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"], failed);
  }

  async fetch({ commit, ref, branch }: Wanted): Promise<void> {
    if (commit === null) throw new Refusal("the version is not known");
    const { depth } = this.#options;
    const deep = depth === undefined ? [] : [`--depth=${depth}`];
    const to = branch === undefined ? ref : `refs/remotes/origin/${branch}`;
    const what = ref === undefined ? commit : `+${ref}:${to}`;
    const first = await this.#run(["fetch", "--quiet", "--no-tags", ...deep, "origin", what]);
    const has = async () => (await this.#run(["cat-file", "-e", `${commit}^{commit}`])).rc === 0;
    if (first.rc === 0 && (await has())) return;
    if (ref !== undefined) {
      if (first.rc !== 0) throw new Refusal(withLastLine("the version can't be fetched", first.stderr));
      throw new Refusal("the repository has another commit for that version now; run it again");
    }
    // Not every server gives out a commit by its id alone.
    await this.#git(["fetch", "--quiet", "--tags", "origin"], "the repository can't be fetched");
    if (!(await has())) throw new Refusal(`the repository has no commit ${commit}`);
  }

  async checkout({ commit, branch }: Wanted): Promise<void> {
    if (commit === null) throw new Refusal("the version is not known");
    const on = branch === undefined ? ["--detach", commit] : ["-B", branch, commit];
    await this.#git(["checkout", "--quiet", "--force", ...on, "--"], "the version can't be checked out");
    if (branch === undefined) return;
    for (const [key, value] of [
      ["remote", "origin"],
      ["merge", `refs/heads/${branch}`],
    ] as const)
      await this.#git(["config", `branch.${branch}.${key}`, value], "the branch can't be set up");
  }

  async #git(args: readonly string[], failed: string, cwd?: string): Promise<string> {
    const { rc, stdout, stderr } = await this.#run(args, cwd);
    if (rc !== 0) throw new Refusal(withLastLine(failed, stderr));
    return stdout;
  }

  async #run(args: readonly string[], cwd?: string) {
    // What reads from the repository alone needs no clone to be there.
    const outside = cwd ?? (args[0] === "ls-remote" ? "/" : undefined);
    const inside = outside === undefined ? ["-C", this.#at] : [];
    const ssh = process.env.GIT_SSH_COMMAND ?? "ssh -o BatchMode=yes";
    const result = await this.#context.exec("git", [...inside, ...args], {
      accept: "any",
      ...(outside === undefined ? {} : { cwd: outside }),
      // Nobody is there to answer.
      env: { GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0", GIT_SSH_COMMAND: ssh },
    });
    if (result.rc === 127) throw new Refusal("the host has no git; install it before");
    return result;
  }
}

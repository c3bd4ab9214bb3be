import { rmdir, unlink } from "node:fs/promises";
import path from "node:path";
import type { OfferedFile } from "../../../vocabulary/order.js";
import type { CopyTreeOptions } from "../../../vocabulary/resources.js";
import { hasCode, Refusal, refuse, throwIfAborted } from "../../errors.js";
import { mayReplace, mayWriteIn } from "../../files/access.js";
import { replaceFile, syncFolder } from "../../files/atomic.js";
import {
  attributeChanges,
  attributeDiff,
  freshAttributes,
  mayBecome,
  mayOwn,
  setAttributes,
  type Wanted,
  wantedAttributes,
  withWanted,
} from "../../files/attributes.js";
import type { Attributes, Entry } from "../../files/files.js";
import { rules } from "../../options.js";
import { NOTHING, type Plan, type ResourceType, type TypeContext } from "../../type.js";
import { differs, foreseen, offeredContent, showChange } from "../content.js";
import { capped, makeFolder } from "../directory.js";

/** One thing that is done, in the order in which they are done. */
interface Step {
  readonly changes: readonly string[];
  readonly diff: string;
  foresee(): void;
  apply(): Promise<void>;
}

/** The order in which changes are told. */
const CHANGES = ["create", "content", "owner", "group", "mode", "remove"];

/** A folder of the controller's on the host. */
export const copyTree: ResourceType<CopyTreeOptions> = {
  name: "copyTree",
  options: {
    source: rules.path,
    purge: rules.flag,
    owner: rules.account,
    group: rules.account,
    mode: rules.mode,
    directoryMode: rules.mode,
  },
  async plan(context, name, options) {
    if (options.source === undefined) throw new Refusal('it needs the option "source": the folder to copy');
    const tree = context.offered.tree(options.source);
    const { owner, group, mode, directoryMode } = options;
    const ownership = {
      ...(owner === undefined ? {} : { owner }),
      ...(group === undefined ? {} : { group }),
    };
    const folders = await wantedAttributes(
      directoryMode === undefined ? ownership : { ...ownership, mode: directoryMode },
    );
    const files = await wantedAttributes(mode === undefined ? ownership : { ...ownership, mode });
    const copy = new Copy(context, files);
    const place = await context.files.resolve(name, true);
    if (place.entry && place.entry.kind !== "directory") throw new Refusal("a file stands there");
    const above = place.missing ?? place.path;
    for (let at = above; at !== place.path; at = next(at, place.path)) await copy.folder(at, NO_WISHES);
    await copy.folder(place.path, folders);
    const kept = new Set<string>();
    for (const [file, offered] of tree) {
      for (const folder of foldersOf(file)) {
        if (!kept.has(folder)) await copy.folder(path.join(place.path, folder), folders);
        kept.add(folder);
      }
      kept.add(file);
      await copy.file(path.join(place.path, file), `${options.source}/${file}`, offered);
    }
    if (options.purge && place.entry) await copy.purge(place.path, "", kept);
    return asPlan(context, copy.steps);
  },
};

const NO_WISHES: Wanted = { mode: undefined, uid: undefined, gid: undefined };

const next = (at: string, to: string): string => path.join(at, path.relative(at, to).split("/")[0]!);

/** "a/b/c" is in "a" and "a/b". */
function foldersOf(file: string): string[] {
  const parts = file.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

function asPlan(context: TypeContext, steps: readonly Step[]): Plan {
  if (steps.length === 0) return NOTHING;
  const actions = CHANGES.filter((change) => steps.some((step) => step.changes.includes(change)));
  return {
    actions,
    ...(context.diff ? { diff: capped(steps.map((step) => step.diff)) } : {}),
    foresee() {
      for (const step of steps) step.foresee();
    },
    async apply() {
      const done = new Set<string>();
      for (const step of steps) {
        throwIfAborted(context.signal);
        await step.apply();
        for (const change of step.changes) done.add(change);
      }
      return CHANGES.filter((change) => done.has(change));
    },
  };
}

/** Gathers what is to be done, thing by thing. */
class Copy {
  readonly #steps: Step[] = [];
  /** What folders get when all is in them: they may be closed to this user from then on */
  readonly #last: Step[] = [];
  readonly #context: TypeContext;
  readonly #files: Wanted;
  /** Folders that will be made */
  readonly #made = new Map<string, Attributes>();

  constructor(context: TypeContext, files: Wanted) {
    this.#context = context;
    this.#files = files;
  }

  get steps(): readonly Step[] {
    return [...this.#steps, ...this.#last];
  }

  async folder(at: string, wanted: Wanted): Promise<void> {
    const { files } = this.#context;
    const parent = path.dirname(at);
    const entry = this.#made.has(parent) ? undefined : await files.entry(at);
    if (entry && entry.kind !== "directory") throw new Refusal(`${at} is no folder, but one belongs there`);
    if (entry) return this.#attributes(at, entry, wanted, this.#last);
    await this.#mayAdd(parent);
    const fresh = freshAttributes("directory", false, await this.#folderAt(parent));
    const after = withWanted(fresh, wanted);
    mayBecome(fresh, after);
    this.#made.set(at, after);
    const open = { ...after, mode: after.mode | 0o700 };
    this.#steps.push({
      changes: ["create"],
      diff: `created: ${at}\n`,
      foresee: () => files.foresee(at, { ...after, kind: "directory", fresh: true }),
      async apply() {
        await makeFolder(at, open);
        await syncFolder(parent);
      },
    });
    if (open.mode === after.mode) return;
    this.#last.unshift({
      changes: [],
      diff: "",
      foresee: () => undefined,
      async apply() {
        await setAttributes(at, { ...open, kind: "directory" }, after);
      },
    });
  }

  async file(at: string, source: string, offered: OfferedFile): Promise<void> {
    const { files, signal } = this.#context;
    const { executable } = offered;
    const desired = offeredContent(this.#context.offered, source);
    const parent = path.dirname(at);
    const entry = this.#made.has(parent) ? undefined : await files.entry(at);
    if (entry && entry.kind !== "file")
      throw new Refusal(`${at} is no file, but one belongs there; remove it before`);
    const fresh = freshAttributes("file", executable, await this.#folderAt(parent));
    const wanted = entry ? this.#wantedOf(entry, executable) : this.#files;
    if (entry && !(await differs(files, at, entry, desired)))
      return this.#attributes(at, entry, wanted, this.#steps);
    const after = withWanted(entry ?? fresh, wanted);
    mayBecome(entry ?? fresh, after);
    if (entry) {
      await mayReplace(files, at, entry);
      mayOwn(fresh, after);
    } else await this.#mayAdd(parent);
    const shown = this.#context.diff ? await showChange(files, at, entry, desired) : undefined;
    this.#steps.push({
      changes: entry ? ["content", ...attributeChanges(entry, wanted)] : ["create"],
      // An empty file has no line that a diff could show.
      diff: `${shown?.diff || `created: ${at}\n`}${entry ? await attributeDiff(entry, wanted) : ""}`,
      foresee: () => files.foresee(at, foreseen(desired, after, shown)),
      apply: () =>
        replaceFile({
          path: at,
          before: entry,
          attributes: after,
          content: desired.stream(entry === undefined),
          signal,
        }),
    });
  }

  /** Removes what stands in a folder and isn't kept, what is in it before itself. */
  async purge(top: string, within: string, kept: ReadonlySet<string>): Promise<void> {
    const { files } = this.#context;
    for (const name of await files.list(path.join(top, within))) {
      const relative = within === "" ? name : `${within}/${name}`;
      const at = path.join(top, relative);
      const entry = await files.entry(at);
      if (!entry) continue;
      if (entry.kind === "directory") await this.purge(top, relative, kept);
      if (kept.has(relative)) continue;
      await mayReplace(files, at, entry);
      this.#steps.push({
        changes: ["remove"],
        diff: `removed: ${at}\n`,
        foresee: () => files.foresee(at, undefined),
        async apply() {
          await (entry.kind === "directory" ? rmdir(at) : unlink(at)).catch((error: unknown) => {
            if (!hasCode(error, "ENOENT")) throw refuse(`${at} can't be removed`, error);
          });
        },
      });
    }
  }

  /** Whether a file is executable is part of what is copied; the rest of its mode is the host's. */
  #wantedOf(entry: Attributes, executable: boolean): Wanted {
    if (this.#files.mode !== undefined || executable === ((entry.mode & 0o100) !== 0)) return this.#files;
    const mode = executable ? entry.mode | ((entry.mode & 0o444) >> 2) | 0o100 : entry.mode & ~0o111;
    return { ...this.#files, mode };
  }

  async #attributes(at: string, entry: Entry, wanted: Wanted, steps: Step[]): Promise<void> {
    const { files } = this.#context;
    const changes = attributeChanges(entry, wanted);
    if (changes.length === 0) return;
    const after = withWanted(entry, wanted);
    mayBecome(entry, after);
    const diff = await attributeDiff(entry, wanted);
    steps[steps === this.#last ? "unshift" : "push"]({
      changes,
      diff: diff.replace(/^/gm, `${at}: `).slice(0, -`${at}: `.length),
      foresee: () => files.foresee(at, { ...entry, ...after }),
      async apply() {
        await setAttributes(at, entry, after);
      },
    });
  }

  async #mayAdd(folder: string): Promise<void> {
    if (!this.#made.has(folder)) await mayWriteIn(this.#context.files, folder);
  }

  async #folderAt(at: string): Promise<Attributes | undefined> {
    return this.#made.get(at) ?? this.#context.files.entry(at);
  }
}

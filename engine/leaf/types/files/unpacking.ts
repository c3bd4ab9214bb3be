import { createHash } from "node:crypto";
import { unlink } from "node:fs/promises";
import { posix } from "node:path";
import { type ArchiveEntry, mustStayWithin, safeParts } from "../../archives/entry.js";
import { Refusal, refuse } from "../../errors.js";
import { mayReplace, mayWriteIn } from "../../files/access.js";
import { replaceFile } from "../../files/atomic.js";
import {
  freshAttributes,
  mayBecome,
  setAttributes,
  type Wanted,
  withWanted,
} from "../../files/attributes.js";
import type { Attributes, Entry, Place } from "../../files/files.js";
import type { TypeContext } from "../../type.js";
import { type Desired, foreseen } from "../content.js";
import { makeFolder } from "../directory.js";
import { putLink } from "../link.js";

interface Step {
  readonly diff: string;
  foresee(): void;
  apply(): Promise<void>;
}

/** What stands in the folder once the steps so far are done. */
type Known =
  | { readonly kind: "directory"; readonly attributes: Attributes; readonly made: boolean }
  | { readonly kind: "file"; readonly desired: Desired; readonly mode: number }
  | { readonly kind: "link" };

/** What unpacking an archive does, thing by thing; nothing of it leaves the folder, and no link is followed in it. */
export class Unpacking {
  readonly steps: Step[] = [];
  /** Files that are written, and folders that get something in them */
  readonly touched = new Set<string>();
  readonly #context: TypeContext;
  readonly #top: Place;
  readonly #wanted: Wanted;
  readonly #known = new Map<string, Known>();

  constructor(context: TypeContext, top: Place, wanted: Wanted) {
    this.#context = context;
    this.#top = top;
    this.#wanted = wanted;
  }

  async add(entry: ArchiveEntry, strip: number): Promise<void> {
    const parts = safeParts(entry.name, strip);
    const at = posix.join(this.#top.path, ...parts);
    if (parts.length === 0) {
      if (entry.kind === "directory") await this.#above(at);
      return;
    }
    const parent = posix.dirname(at);
    await this.#above(parent);
    if (entry.kind === "directory") return this.#directory(at, entry.mode);
    if (entry.kind === "link") {
      mustStayWithin(parts.slice(0, -1), entry.name, entry.to);
      return this.#link(at, entry.to);
    }
    if (entry.kind === "file") return this.#file(at, entry.mode, await desiredOf(entry));
    // Of a hard link there are two files in the end, as where an archive is unpacked twice.
    const known = this.#known.get(posix.join(this.#top.path, ...safeParts(entry.to, strip)));
    if (known?.kind !== "file")
      throw new Refusal(
        `the archive has "${entry.name}" in it, a link to "${entry.to}", which is no file before it`,
      );
    return this.#file(at, known.mode, known.desired);
  }

  /** The folder of an entry, with the folders above it that are missing. */
  async #above(folder: string): Promise<void> {
    const known = this.#known.get(folder);
    if (known?.kind === "directory") return;
    const { path: top, missing } = this.#top;
    // What is above the folder that is unpacked to was followed to where it is.
    if (folder === "/" || !isWithin(folder, missing ?? top)) return;
    await this.#above(posix.dirname(folder));
    await this.#directory(folder, 0o755);
  }

  async #directory(at: string, mode: number): Promise<void> {
    const known = this.#known.get(at);
    if (known?.kind === "directory") return;
    const entry = known ? undefined : await this.#standing(at);
    if (known || (entry && entry.kind !== "directory"))
      throw new Refusal(`${at} is no folder, but the archive has one there; nothing is unpacked`);
    if (entry) {
      this.#known.set(at, { kind: "directory", attributes: entry, made: false });
      return;
    }
    const parent = posix.dirname(at);
    await this.#mayAdd(parent);
    const fresh = freshAttributes("directory", false, await this.#folderAt(parent));
    // One that its owner can't write in would take no files.
    const own = { ...fresh, mode: (mode & fresh.mode) | 0o700 | (fresh.mode & 0o2000) };
    const after = withWanted(own, this.#wanted);
    mayBecome(own, after);
    this.#known.set(at, { kind: "directory", attributes: after, made: true });
    this.touched.add(parent);
    this.steps.push({
      diff: `created: ${at}\n`,
      foresee: () => this.#context.files.foresee(at, { ...after, kind: "directory", fresh: true }),
      apply: () => makeFolder(at, after),
    });
  }

  async #file(at: string, mode: number, desired: Desired): Promise<void> {
    const { files, signal } = this.#context;
    const { entry, attributes } = await this.#place(at);
    const own = { ...attributes, mode: mode & 0o777 & ~process.umask() };
    const after = withWanted(own, this.#wanted);
    mayBecome(own, after);
    this.#known.set(at, { kind: "file", desired, mode });
    const old = entry?.kind === "file" ? entry : undefined;
    if (old?.size === desired.size && (await files.hash(at, old)) === desired.hash && same(old, after))
      return;
    this.touched.add(at).add(posix.dirname(at));
    this.steps.push({
      diff: `${entry ? "replaced" : "created"}: ${at}\n`,
      foresee: () => files.foresee(at, foreseen(desired, after)),
      async apply() {
        if (entry?.kind === "link") await unlink(at);
        const content = desired.stream(false);
        await replaceFile({ path: at, before: old, attributes: after, content, signal, sync: false }).catch(
          (error: unknown) => {
            throw refuse(`${at} can't be unpacked`, error);
          },
        );
      },
    });
  }

  async #link(at: string, to: string): Promise<void> {
    const { files } = this.#context;
    const { entry, attributes } = await this.#place(at);
    const own = { ...attributes, mode: 0o777 };
    const after = withWanted(own, this.#wanted);
    mayBecome(own, after);
    this.#known.set(at, { kind: "link" });
    if (entry?.kind === "link" && entry.to === to && same(entry, after)) return;
    this.touched.add(posix.dirname(at));
    this.steps.push({
      diff: `link: ${at} -> ${to}\n`,
      foresee: () => files.foresee(at, { ...after, kind: "link", to }),
      async apply() {
        await putLink(at, to, entry !== undefined);
        await setAttributes(at, { ...own, kind: "link", to }, after);
      },
    });
  }

  /** What stands where a file or a link goes, and the attributes of what is new there. */
  async #place(at: string): Promise<{ entry: Entry | undefined; attributes: Attributes }> {
    const { files } = this.#context;
    const parent = posix.dirname(at);
    if (this.#known.has(at)) throw new Refusal(`the archive has ${at} in it twice; nothing is unpacked`);
    const entry = await this.#standing(at);
    if (entry?.kind === "directory" || entry?.kind === "other")
      throw new Refusal(`${at} is no file, but the archive has one there; nothing is unpacked`);
    if (entry) await mayReplace(files, at, entry);
    else await this.#mayAdd(parent);
    return { entry, attributes: freshAttributes("file", false, await this.#folderAt(parent)) };
  }

  /** Nothing stands in a folder that is yet to be made. */
  async #standing(at: string): Promise<Entry | undefined> {
    const { missing } = this.#top;
    if (missing !== undefined && isWithin(at, missing)) return undefined;
    return this.#context.files.entry(at);
  }

  async #mayAdd(folder: string): Promise<void> {
    const known = this.#known.get(folder);
    if (known?.kind !== "directory" || !known.made) await mayWriteIn(this.#context.files, folder);
  }

  async #folderAt(at: string): Promise<Attributes | undefined> {
    const known = this.#known.get(at);
    return known?.kind === "directory" ? known.attributes : this.#context.files.entry(at);
  }
}

const isWithin = (at: string, folder: string): boolean =>
  folder === "/" || at === folder || at.startsWith(`${folder}/`);

const same = (a: Attributes, b: Attributes): boolean =>
  a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;

async function desiredOf(entry: ArchiveEntry): Promise<Desired> {
  const hash = createHash("sha256");
  for await (const piece of entry.content()) hash.update(piece);
  return {
    size: entry.size,
    hash: hash.digest("hex"),
    executable: false,
    stream: () => entry.content(),
  };
}

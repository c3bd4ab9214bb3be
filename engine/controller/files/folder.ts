import { lstat, readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { globToRegExp } from "../inventory/patterns.js";
import { PolicyError } from "../policy-error.js";

/** A file below the policy's folder, by its path there ("/" between parts). */
export interface FoundFile {
  readonly path: string;
  readonly absolute: string;
  readonly size: number;
  readonly executable: boolean;
  readonly modifiedMs: number;
  /** Which file it was, whatever the path leads to later */
  readonly device: number;
  readonly inode: number;
}

/** Patterns look at no more files than this. */
export const MAX_WALKED = 20_000;

/**
 * A path as an offer names it, or undefined when it can't lie below the folder: absolute, with `..`, with NUL, or
 * empty.
 */
export function offeredPath(text: string): string | undefined {
  if (text === "" || text.includes("\0") || text.includes("\\") || path.posix.isAbsolute(text))
    return undefined;
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.length === 0 || parts.includes("..") || text.endsWith("/")) return undefined;
  return parts.join("/");
}

/** The policy's folder as the only place that files are offered from. */
export class PolicyFolder {
  readonly #folder: string;
  #walked: Promise<string[]> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** undefined: no such regular file there, or a link leads out of the folder. */
  async find(text: string): Promise<FoundFile | undefined> {
    const relative = offeredPath(text);
    if (relative === undefined) return undefined;
    const named = path.join(this.#folder, ...relative.split("/"));
    try {
      const root = await realpath(this.#folder);
      const absolute = await realpath(named);
      if (!absolute.startsWith(root + path.sep)) return undefined;
      const info = await lstat(absolute);
      if (!info.isFile()) return undefined;
      const executable = (info.mode & 0o111) !== 0;
      const { size, mtimeMs: modifiedMs, dev: device, ino: inode } = info;
      return { path: relative, absolute, size, executable, modifiedMs, device, inode };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP" || code === "ENAMETOOLONG")
        return undefined;
      throw new PolicyError(`can't be read (${code ?? "unknown error"})`, { file: named });
    }
  }

  /** Files that fit a pattern; `*` stays within a folder, `**` crosses them. Names with a leading dot never fit. */
  async glob(pattern: string): Promise<FoundFile[]> {
    const relative = offeredPath(pattern);
    if (relative === undefined) return [];
    const test = pathPattern(relative);
    this.#walked ??= this.#walk();
    const names = (await this.#walked).filter((name) => test.test(name));
    const found = await Promise.all(names.map((name) => this.find(name)));
    return found.filter((file) => file !== undefined);
  }

  /**
   * Every file in a folder, those with a leading dot too; undefined: there is no such folder below the policy's. What
   * can't be copied as it is, such as a link that leads out, is an error.
   */
  async tree(text: string): Promise<FoundFile[] | undefined> {
    const relative = offeredPath(text.replace(/\/+$/, ""));
    if (relative === undefined) return undefined;
    const top = path.join(this.#folder, ...relative.split("/"));
    const root = await realpath(this.#folder);
    const real = await realpath(top).catch(() => undefined);
    if (!real?.startsWith(root + path.sep) || !(await stat(real)).isDirectory()) return undefined;
    const found: FoundFile[] = [];
    const pending = [relative];
    for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
      for (const entry of await readdir(path.join(this.#folder, folder), { withFileTypes: true })) {
        const name = `${folder}/${entry.name}`;
        if (entry.isDirectory()) pending.push(name);
        else {
          const file = await this.find(name);
          if (!file)
            throw new PolicyError(
              "can't be copied with its folder: it is no file, or a link that leads to none below the policy's folder",
              { file: path.join(this.#folder, name) },
            );
          found.push(file);
        }
        if (found.length > MAX_WALKED)
          throw new PolicyError(`has more than ${MAX_WALKED} files, too many to be copied`, { file: top });
      }
    }
    return found;
  }

  async #walk(): Promise<string[]> {
    const found: string[] = [];
    const pending = [""];
    for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
      for (const entry of await readdir(path.join(this.#folder, folder), { withFileTypes: true })) {
        if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
        const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
        if (entry.isDirectory()) pending.push(name);
        else if (entry.isFile() || (await isLinkToFile(path.join(this.#folder, name)))) found.push(name);
        if (found.length > MAX_WALKED)
          throw new PolicyError(
            `there are more than ${MAX_WALKED} files below the policy; move it to a folder of its own, so that patterns of files can be looked up`,
            { file: this.#folder },
          );
      }
    }
    return found.sort();
  }
}

async function isLinkToFile(name: string): Promise<boolean> {
  if (!(await lstat(name)).isSymbolicLink()) return false;
  return stat(name).then(
    (info) => info.isFile(),
    () => false,
  );
}

function pathPattern(pattern: string): RegExp {
  const parts = pattern.split("/").map((part) => {
    if (part === "**") return "(?:[^/]+/)*";
    return `${globToRegExp(part, "[^/]*", "[^/]").source.slice(1, -1)}/`;
  });
  return new RegExp(`^${parts.join("").replace(/\/$/, "")}${pattern.endsWith("**") ? "[^/]+" : ""}$`, "su");
}

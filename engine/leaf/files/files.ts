import { createHash } from "node:crypto";
import { createReadStream, type Stats } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";
import { hasCode, Refusal, refuse } from "../errors.js";
import type { Foresight } from "./foresight.js";
import { PASS, permits, READ } from "./permits.js";

export interface Attributes {
  /** Permission bits */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What stands at a path. */
export type Entry = Attributes &
  (
    | { readonly kind: "file"; readonly size: number; readonly content?: Content; readonly stats?: Stats }
    | { readonly kind: "directory"; readonly fresh?: boolean }
    | { readonly kind: "link"; readonly to: string }
    | { readonly kind: "other" }
  );

/** Content that was planned under --check; `bytes` only where something showed it, `load` brings them. */
export interface Content {
  readonly hash: string;
  readonly bytes?: Uint8Array;
  /** Hashes of the blobs that it is made of, where the controller has it */
  readonly pieces?: readonly string[];
  load?(): Promise<Uint8Array>;
}

export interface Place {
  /** Absolute and without links on the way */
  readonly path: string;
  readonly entry: Entry | undefined;
  /** The first folder on the way that doesn't exist */
  readonly missing?: string;
}

const MAX_LINKS = 40;

/**
 * The host's file system as resources see it. Under --check nothing is written: what was planned is laid over the real
 * files, so that a file may be planned in a folder that was only planned before.
 */
export class Files {
  readonly #foreseen: Map<string, Entry | undefined>;
  #uncertain: boolean;
  readonly #blob: ((hash: string) => Promise<Uint8Array>) | undefined;
  /** Ids that stand for accounts which what was not run may make (accounts.ts) */
  readonly guesses: Map<string, number>;

  /** @param earlier what earlier roles of a check planned; `blob` brings pieces of contents that it only names */
  constructor(earlier?: Foresight, blob?: (hash: string) => Promise<Uint8Array>) {
    this.#foreseen = new Map(earlier?.entries);
    this.#uncertain = earlier?.uncertain ?? false;
    this.guesses = new Map(earlier?.guesses);
    this.#blob = blob;
  }

  /** What was planned so far, the roles before included. */
  get foresight(): Foresight {
    return { uncertain: this.#uncertain, entries: this.#foreseen, guesses: this.guesses };
  }

  /** Under --check: a command was not run, and what it would have made is not known. */
  get uncertain(): boolean {
    return this.#uncertain;
  }

  doubt(): void {
    this.#uncertain = true;
  }

  /** Under --check: from now on this stands at a path (as `resolve` gave it); undefined: nothing does. */
  foresee(at: string, entry: Entry | undefined): void {
    // A folder that was only planned before is the same one with other attributes: what was planned in it stays.
    const made = entry?.kind === "directory" && entry.fresh && this.#foreseen.get(at)?.kind !== "directory";
    if (entry === undefined || made)
      for (const known of this.#foreseen.keys()) if (known.startsWith(`${at}/`)) this.#foreseen.delete(known);
    this.#foreseen.set(at, entry);
  }

  /** Whether what `entry` gives for a path was only planned. */
  isForeseen(at: string): boolean {
    return this.#foreseen.has(at);
  }

  /** What stands at a path whose folder has no links in it. */
  async entry(at: string): Promise<Entry | undefined> {
    for (let above = at; above !== "/" && this.#foreseen.size > 0; ) {
      above = path.dirname(above);
      this.#mayUse(above, PASS, `${at} can't be looked at`);
    }
    for (let above = at; above !== "/" && this.#foreseen.size > 0; above = path.dirname(above)) {
      if (!this.#foreseen.has(above)) continue;
      const known = this.#foreseen.get(above);
      if (above === at) return known;
      if (known?.kind === "directory" && !known.fresh) break;
      return undefined;
    }
    try {
      return await fromDisk(at, await lstat(at));
    } catch (error) {
      if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
      throw refuse(`${at} can't be looked at`, error);
    }
  }

  /** Follows the links on the way, and a link at the end too when `follow` is true. */
  async resolve(given: string, follow: boolean): Promise<Place> {
    const parts = absolute(given).split("/").filter(Boolean);
    let current = "/";
    let entry = await this.entry(current);
    for (let links = 0; parts.length > 0; ) {
      const part = parts.shift()!;
      if (part === "." || part === "..") {
        current = part === ".." ? path.dirname(current) : current;
        entry = await this.entry(current);
        continue;
      }
      const next = path.join(current, part);
      entry = await this.entry(next);
      const last = parts.length === 0;
      if (entry?.kind === "link" && (!last || follow)) {
        if (++links > MAX_LINKS) throw new Refusal(`${given} leads through symbolic links in a circle`);
        if (entry.to.startsWith("/")) current = "/";
        parts.unshift(...entry.to.split("/").filter(Boolean));
        if (parts.length === 0) entry = await this.entry(current);
        continue;
      }
      current = next;
      if (last) break;
      if (!entry) return { path: path.join(next, ...parts), entry: undefined, missing: next };
      if (entry.kind !== "directory") throw new Refusal(`${next} is no folder, so ${given} can't be in it`);
    }
    return { path: current, entry };
  }

  /** A file's SHA-256, hex. */
  async hash(at: string, entry: Entry & { kind: "file" }): Promise<string> {
    this.#mayUse(at, READ, `${at} can't be read`);
    if (entry.content) return entry.content.hash;
    const hash = createHash("sha256");
    try {
      for await (const chunk of createReadStream(at, { highWaterMark: 256 * 1024 }))
        hash.update(chunk as Buffer);
    } catch (error) {
      throw refuse(`${at} can't be read`, error);
    }
    return hash.digest("hex");
  }

  /** A file's content; undefined where only its hash was planned, and nothing brings more. */
  async read(at: string, entry: Entry & { kind: "file" }): Promise<Uint8Array | undefined> {
    this.#mayUse(at, READ, `${at} can't be read`);
    if (entry.content) return entry.content.bytes ?? entry.content.load?.() ?? this.#fetch(entry.content);
    try {
      return await readFile(at);
    } catch (error) {
      throw refuse(`${at} can't be read`, error);
    }
  }

  async #fetch({ pieces }: Content): Promise<Uint8Array | undefined> {
    if (!pieces || !this.#blob) return undefined;
    return Buffer.concat(await Promise.all(pieces.map(this.#blob)));
  }

  /** The disk tells what this user may; of what was planned the planned mode does. */
  #mayUse(at: string, rights: number, refused: string): void {
    const known = this.#foreseen.get(at);
    if (known && !permits(known, rights)) throw new Refusal(`${refused}: permission denied`);
  }

  /** Names in a folder. */
  async list(at: string): Promise<string[]> {
    this.#mayUse(at, READ, `${at} can't be read`);
    const names = new Set<string>();
    const known = this.#foreseen.get(at);
    if (!(known?.kind === "directory" && known.fresh)) {
      try {
        for (const name of await readdir(at)) names.add(name);
      } catch (error) {
        throw refuse(`${at} can't be read`, error);
      }
    }
    for (const [place, entry] of this.#foreseen) {
      if (path.dirname(place) !== at) continue;
      if (entry) names.add(path.basename(place));
      else names.delete(path.basename(place));
    }
    return [...names].sort();
  }
}

/** An absolute path; `~/` is the home of the user that the leaf runs as, all else that is relative begins at `from`. */
export function absolute(given: string, from: string = process.cwd()): string {
  const home = given === "~" || given.startsWith("~/") ? (process.env.HOME ?? "/") + given.slice(1) : given;
  // Not path.resolve alone: `..` after a link leads elsewhere than the text says, so it stays for `resolve`.
  return home.startsWith("/") ? home : `${from}/${home}`;
}

async function fromDisk(at: string, stats: Stats): Promise<Entry> {
  const attributes = { mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid };
  if (stats.isFile()) return { ...attributes, kind: "file", size: stats.size, stats };
  if (stats.isDirectory()) return { ...attributes, kind: "directory" };
  if (stats.isSymbolicLink()) return { ...attributes, kind: "link", to: await readlink(at) };
  return { ...attributes, kind: "other" };
}

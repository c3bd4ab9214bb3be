import { createHash } from "node:crypto";
import type { WingHost } from "../../../relay/wing.js";
import type { OfferedFile } from "../../vocabulary/order.js";
import { Refusal, refuse } from "../errors.js";

const SMALL_FILE = 256 * 1024;
const SMALL_FILES = 2 * 1024 * 1024;
/** Pieces asked for ahead of the one that is being written */
const AHEAD = 8;

type Blobs = Pick<WingHost, "blob" | "prefetch">;

/** The files beside the policy that this role may use, fetched by hash when they are needed. */
export class OfferedFiles {
  readonly #blobs: Blobs;
  readonly #files: ReadonlyMap<string, OfferedFile>;
  readonly #trees: ReadonlySet<string>;
  readonly #fetched = new Set<string>();
  #misses = 0;

  constructor(blobs: Blobs, files: Readonly<Record<string, OfferedFile>>, trees: readonly string[] = []) {
    this.#trees = new Set(trees);
    this.#blobs = blobs;
    this.#files = new Map(Object.entries(files));
  }

  has(name: string): boolean {
    return this.#files.has(normal(name));
  }

  /** Throws a Refusal when the file was not offered. */
  find(name: string): OfferedFile {
    const found = this.#files.get(normal(name));
    if (found) return found;
    throw new Refusal(
      `the file "${name}" did not come along with the role; name it as a literal string in the role, or add it to the role's "files"`,
    );
  }

  /** The files of a folder by their paths in it. Throws a Refusal when it did not come as a whole. */
  tree(name: string): Map<string, OfferedFile> {
    const folder = normal(name);
    if (!this.#trees.has(folder))
      throw new Refusal(
        `the folder "${name}" did not come along with the role; name it as a literal string in the role, or add "${folder}/" to the role's "files"`,
      );
    const found = [...this.#files].filter(([at]) => at.startsWith(`${folder}/`));
    return new Map(found.map(([at, file]) => [at.slice(folder.length + 1), file]));
  }

  /**
   * The file's content, piece by piece; ends with an error when it isn't what was offered. `cold`: nothing of it stood
   * here, so that others will be missing too and the small ones are asked for in the same breath.
   */
  async *stream(name: string, cold: boolean): AsyncGenerator<Uint8Array> {
    const file = this.find(name);
    const pieces = piecesOf(file);
    if (pieces.length === 0) return;
    this.#askAhead(file, cold);
    const whole = createHash("sha256");
    let size = 0;
    for (const [index, piece] of pieces.entries()) {
      if (pieces.length > 1 && index % (AHEAD / 2) === 0)
        void this.#blobs.prefetch(pieces.slice(index, index + AHEAD));
      const bytes = await this.#piece(name, piece);
      whole.update(bytes);
      size += bytes.length;
      yield bytes;
    }
    if (size !== file.size || whole.digest("hex") !== file.hash)
      throw new Refusal(`what arrived for "${name}" is not the file that was offered`);
  }

  /** The whole content; for templates and diffs. */
  async read(name: string, cold = true): Promise<Buffer> {
    const { hash, chunks } = this.find(name);
    // These travel ahead of the order, changed or not: that one is read says nothing of what is new here.
    if (name.endsWith(".j2") && chunks.length === 0) this.#fetched.add(hash);
    const pieces: Uint8Array[] = [];
    for await (const piece of this.stream(name, cold)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async #piece(name: string, hash: string): Promise<Uint8Array> {
    try {
      return await this.#blobs.blob(hash);
    } catch (error) {
      throw refuse(`the file "${name}" can't be fetched`, error);
    }
  }

  /**
   * One round trip for many small files. A single file that differs is an edit to repair, and worth no more than
   * itself; a missing one, or a second that differs, says that much is new here.
   */
  #askAhead(file: OfferedFile, cold: boolean): void {
    if (this.#fetched.has(file.hash)) return;
    this.#fetched.add(file.hash);
    this.#misses++;
    if (!cold && this.#misses < 2) return;
    const batch = file.size <= SMALL_FILE ? [file.hash] : [];
    let room = SMALL_FILES - (batch.length > 0 ? file.size : 0);
    for (const other of this.#files.values()) {
      if (this.#fetched.has(other.hash) || other.chunks.length > 0) continue;
      if (other.size > SMALL_FILE || other.size > room) continue;
      room -= other.size;
      this.#fetched.add(other.hash);
      batch.push(other.hash);
    }
    if (batch.length > 1) void this.#blobs.prefetch(batch);
  }
}

const EMPTY = createHash("sha256").digest("hex");

/** Hashes of the blobs that a file is made of, in order; nothing is one of none. */
export function piecesOf({ size, hash, chunks }: OfferedFile): readonly string[] {
  if (chunks.length > 0) return chunks;
  return size === 0 && hash === EMPTY ? [] : [hash];
}

/** "./a//b" and "a/b" are one file. */
function normal(name: string): string {
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts[parts.length - 1] !== "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}

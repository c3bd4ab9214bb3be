import { createHash } from "node:crypto";
import type { FileOptions } from "../../vocabulary/resources.js";
import { contentDiff, MAX_DIFF_FILE } from "../files/diff.js";
import type { Attributes, Entry, Files } from "../files/files.js";
import { type OfferedFiles, piecesOf } from "../files/offered.js";
import type { TypeContext } from "../type.js";

export type FileEntry = Entry & { readonly kind: "file" };

/** What a file shall hold. */
export interface Desired {
  /** Bytes */
  readonly size: number;
  /** SHA-256, hex */
  readonly hash: string;
  readonly executable: boolean;
  /** Time of last change that it gets; default: now */
  readonly modified?: Date | undefined;
  /** Where it was made here */
  readonly bytes?: Uint8Array;
  /** Hashes of its blobs, where it comes from the controller */
  readonly pieces?: readonly string[];
  /** `cold`: no such file was there before */
  stream(cold: boolean): AsyncIterable<Uint8Array>;
}

/** Undefined where the options leave the content alone. Fetches nothing: what is needed is streamed later. */
export async function desiredContent(
  context: TypeContext,
  options: FileOptions,
): Promise<Desired | undefined> {
  const { source, template } = options;
  if (source !== undefined) return offeredContent(context.offered, source);
  const made =
    template === undefined ? options.content : await context.renderer.file(template, options.vars ?? {});
  if (made === undefined) return undefined;
  return desiredBytes(made);
}

/** A file of the controller's as it came along with the role. */
export function offeredContent(offered: OfferedFiles, source: string): Desired {
  const file = offered.find(source);
  const { size, hash, executable } = file;
  return { size, hash, executable, pieces: piecesOf(file), stream: (cold) => offered.stream(source, cold) };
}

export function desiredBytes(made: string | Uint8Array): Desired {
  const bytes = typeof made === "string" ? Buffer.from(made) : made;
  const hash = createHash("sha256").update(bytes).digest("hex");
  return { size: bytes.length, hash, executable: false, bytes, stream: () => once(bytes) };
}

/** What a file that was only planned is to those that come later. */
export function foreseen(desired: Desired, after: Attributes, shown?: Shown): Entry {
  const bytes = shown?.after ?? desired.bytes;
  const content = {
    hash: desired.hash,
    ...(bytes ? { bytes } : {}),
    ...(desired.pieces ? { pieces: desired.pieces } : {}),
    load: () => whole(desired.stream(true)),
  };
  return { ...after, kind: "file", size: desired.size, content };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

export async function differs(
  files: Files,
  at: string,
  entry: FileEntry,
  desired: Desired,
): Promise<boolean> {
  return entry.size !== desired.size || (await files.hash(at, entry)) !== desired.hash;
}

/** A change of content as a diff, and the new content where the diff showed it. */
export interface Shown {
  readonly diff: string;
  readonly after?: Uint8Array;
}

/** From what stands there, undefined for nothing, to what shall; undefined for no file. */
export async function showChange(
  files: Files,
  at: string,
  entry: FileEntry | undefined,
  desired: Desired | undefined,
): Promise<Shown> {
  const small = (size: number | undefined) => (size ?? 0) <= MAX_DIFF_FILE;
  const fits = small(entry?.size) && small(desired?.size);
  const before = fits && entry ? await files.read(at, entry) : undefined;
  // A planned content that was never shown is known by its hash only.
  if (!fits || (entry && !before)) {
    const size = (thing: { size: number } | undefined) => (thing ? `${thing.size} bytes` : "no file");
    return { diff: `content of ${at}, too large to show: ${size(entry)} -> ${size(desired)}\n` };
  }
  const after = desired ? await whole(desired.stream(!entry)) : undefined;
  return { diff: contentDiff(at, before, after), ...(after ? { after } : {}) };
}

export async function whole(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return all.length === 1 ? all[0]! : Buffer.concat(all);
}

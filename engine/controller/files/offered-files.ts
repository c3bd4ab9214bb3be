import { createHash } from "node:crypto";
import type { BlobSource } from "../../../relay/mesh/types.js";
import { MopError } from "../../../transport/errors.js";
import { FILE_CHUNK, type OfferedFile } from "../../vocabulary/order.js";
import { PolicyError } from "../policy-error.js";
import { sha256 } from "../ship/blobs.js";
import type { FileReferences } from "./file-references.js";
import { type FoundFile, offeredPath, type PolicyFolder } from "./folder.js";
import { openFound, openPlain } from "./open.js";
import { referencePlaces, templateReferences } from "./template-references.js";

export interface OfferedFiles {
  /** By path below the policy's folder: what the plan says */
  readonly files: Readonly<Record<string, OfferedFile>>;
  readonly blobs: readonly BlobSource[];
  /** Folders that `files` has as a whole */
  readonly trees: readonly string[];
  /** Hashes of templates: small, and needed even when nothing changes */
  readonly templates: readonly string[];
}

/** Larger files are no templates. */
const MAX_TEMPLATE = 1024 * 1024;

/**
 * The files that a role may use: those that its text names, those of its `files` patterns, and what templates among
 * them include. `also` are values of variables that may name files.
 */
export async function offeredFiles(
  folder: PolicyFolder,
  references: Pick<FileReferences, "literals" | "patterns"> & Partial<Pick<FileReferences, "trees">>,
  globs: readonly string[],
  also: readonly string[] = [],
): Promise<OfferedFiles> {
  const found = new Map<string, FoundFile>();
  const add = (file: FoundFile | undefined) => {
    if (!file || found.has(file.path)) return;
    found.set(file.path, file);
    fresh.push(file);
  };
  const fresh: FoundFile[] = [];
  for (const text of new Set([...references.literals, ...also])) add(await folder.find(text));
  for (const pattern of references.patterns) for (const file of await folder.glob(pattern)) add(file);
  const trees = new Set<string>();
  const addTree = async (text: string): Promise<boolean> => {
    const files = await folder.tree(text);
    // What a tree has is content, whatever it looks like: no template is looked for in it.
    for (const file of files ?? []) if (!found.has(file.path)) found.set(file.path, file);
    const name = files && offeredPath(text.replace(/\/+$/, ""));
    if (name !== undefined) trees.add(name);
    return name !== undefined;
  };
  const named = references.trees ?? new Set();
  const places = named.has(undefined) ? [...named, ...references.literals, ...also] : [...named];
  for (const text of new Set(places)) if (text !== undefined) await addTree(text);
  for (const pattern of globs) {
    if (pattern.endsWith("/")) {
      if (await addTree(pattern)) continue;
      throw new PolicyError(`the role's files: "${pattern}" is no folder below the policy's folder`);
    }
    const files = /[*?[]/.test(pattern) ? await folder.glob(pattern) : [await folder.find(pattern)];
    if (files.every((file) => file === undefined))
      throw new PolicyError(`the role's files: "${pattern}" fits no file below the policy's folder`);
    for (const file of files) add(file);
  }
  const templates = new Set<string>();
  for (let file = fresh.shift(); file !== undefined; file = fresh.shift()) {
    if (file.size > MAX_TEMPLATE) continue;
    const text = await textOf(file);
    const named = templateReferences(text);
    if (file.path.endsWith(".j2") || named.length > 0) templates.add(file.path);
    for (const name of named)
      for (const place of referencePlaces(name, file.path)) {
        const included = await folder.find(place);
        if (included) templates.add(included.path);
        add(included);
      }
  }
  const entries = await Promise.all([...found.values()].map(describe));
  const files: Record<string, OfferedFile> = {};
  for (const { file, offered } of [...entries].sort((a, b) => (a.file.path < b.file.path ? -1 : 1)))
    files[file.path] = offered;
  return {
    files,
    trees: [...trees].sort(),
    blobs: entries.flatMap((entry) => entry.blobs),
    templates: [...templates].flatMap((name) => {
      const offered = files[name];
      return offered && offered.chunks.length === 0 ? [offered.hash] : [];
    }),
  };
}

interface Described {
  readonly file: FoundFile;
  readonly offered: OfferedFile;
  readonly blobs: readonly BlobSource[];
}

async function describe(file: FoundFile): Promise<Described> {
  const whole = createHash("sha256");
  const chunks: string[] = [];
  let size = 0;
  // Streams end chunks where they like; with this mark each is a whole piece but the last.
  const handle = await openFound(file);
  for await (const piece of handle.createReadStream({ highWaterMark: FILE_CHUNK }) as AsyncIterable<Buffer>) {
    whole.update(piece);
    chunks.push(sha256(piece));
    size += piece.byteLength;
  }
  const hash = whole.digest("hex");
  const { executable } = file;
  if (size <= FILE_CHUNK)
    return { file, offered: { size, hash, chunks: [], executable }, blobs: [filePiece(file, hash, 0, size)] };
  const expected = Math.ceil(size / FILE_CHUNK);
  if (chunks.length !== expected) throw new PolicyError("changed while it was read", { file: file.absolute });
  const blobs = chunks.map((chunk, index) =>
    filePiece(file, chunk, index * FILE_CHUNK, Math.min(FILE_CHUNK, size - index * FILE_CHUNK)),
  );
  return { file, offered: { size, hash, chunks, executable }, blobs };
}

async function textOf(file: FoundFile): Promise<string> {
  const handle = await openFound(file);
  try {
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}

/** Read when a host asks for it; what is no longer what was offered never leaves this machine. */
function filePiece(file: FoundFile, hash: string, offset: number, size: number): BlobSource {
  return {
    hash,
    size,
    async read() {
      const bytes = await readPiece(file, offset, size).catch((error: NodeJS.ErrnoException) => {
        throw new MopError("BLOB_UNAVAILABLE", `${file.path} can't be read any more (${error.code})`, {
          cause: error,
        });
      });
      if (bytes.length === size && sha256(bytes) === hash) return bytes;
      throw new MopError(
        "BLOB_UNAVAILABLE",
        `${file.path} was changed on the controller while the run went on`,
      );
    },
  };
}

/** What the file holds there now; less than `size` where it ends before. */
async function readPiece(file: FoundFile, offset: number, size: number): Promise<Buffer> {
  const handle = await openPlain(file.absolute);
  try {
    const bytes = Buffer.alloc(size);
    let filled = 0;
    while (filled < size) {
      const { bytesRead } = await handle.read(bytes, filled, size - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await handle.close();
  }
}

import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { MopError } from "../../transport/errors.js";
import { createGate } from "../gate.js";
import { bring } from "../runtime/bring.js";
import { type BringPort, type Command, PIECE, type Runtimes, TURNS } from "../runtime/types.js";
import type { MeshBlobs } from "./blobs.js";
import { readBundle } from "./bundles.js";
import type { Place } from "./place.js";
import type { BlobSource } from "./types.js";

/** A runtime as a file of the controller's. */
export type RuntimeFile = Runtimes[string] & { readonly file: string };
export type RuntimeFiles = Readonly<Record<string, RuntimeFile>>;

/** Milliseconds that a start may take to which a runtime has to be brought first: its own steps have limits of their own. */
export const BRING_MS = 30 * 60_000;

/** What brings hosts a Node where they have none. */
export interface Bringing {
  readonly runtimes: Runtimes;
  /** SHA-256 of the module that a relay loads for it */
  readonly module: string;
  /** Lets a node bring what it is asked for: it has the module sent ahead, and asks for pieces once a host needs them. */
  allow(place: Place): void;
  /** The boot command of a host whose stdio ends here. */
  here(port: Pick<BringPort, "first" | "run" | "name" | "nonce" | "held">): Command;
}

const zip = promisify(gzip);

/** `keptOnly`: hosts run what is kept there, and nothing is brought. */
export function createBringing(blobs: MeshBlobs, files: RuntimeFiles, keptOnly = false): Bringing {
  const runtimes: Runtimes = Object.fromEntries(
    Object.entries(files).map(([platform, { hash, size, glibc, pieces }]) => [
      platform,
      { hash, size, glibc, pieces },
    ]),
  );
  const brought = keptOnly ? {} : runtimes;
  const sources = new Map<string, BlobSource>();
  for (const { file, size, pieces } of Object.values(files))
    pieces.forEach((hash, index) => {
      const at = index * PIECE;
      const length = Math.min(PIECE, size - at);
      sources.set(hash, { hash, size: length, read: () => readPiece(file, at, length) });
    });
  const code = Buffer.concat([
    Buffer.from(`var mopRuntimes=${JSON.stringify(brought)};`),
    readBundle("runtime.js"),
  ]);
  const module = sha256(code);
  const all = [{ hash: module, size: code.length, read: async () => code }, ...sources.values()];
  const allowed = new Set<Place>();
  const packed = new Map<string, Promise<Uint8Array>>();
  const turns = createGate(TURNS);
  return {
    runtimes,
    module,
    allow(place) {
      if (allowed.has(place)) return;
      allowed.add(place);
      blobs.offer(all, [place]);
      blobs.push([module], [place]);
    },
    here: (port) =>
      bring(brought, {
        ...port,
        turn: () => turns.enter(),
        async piece(hash) {
          const piece = await sources.get(hash)!.read();
          if (sha256(piece) !== hash)
            throw new MopError("BLOB_CORRUPT", "its file was changed while mop ran; run it again");
          return piece;
        },
        // Several hosts behind one that only forwards are each sent their own
        pack(hash, piece) {
          const known = packed.get(hash) ?? zip(piece);
          packed.set(hash, known);
          return known;
        },
      }),
  };
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function readPiece(file: string, at: number, length: number): Promise<Uint8Array> {
  const opened = await open(file);
  try {
    const { buffer, bytesRead } = await opened.read(Buffer.alloc(length), 0, length, at);
    return buffer.subarray(0, bytesRead);
  } finally {
    await opened.close();
  }
}

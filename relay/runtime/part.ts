import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { bring as bringOf } from "./bring.js";
import { createTurns, TURNS } from "./turns.js";
import { type BringModule, PIECE, type Runtimes } from "./types.js";

/** Stands before the module's text: what the controller has to bring. */
declare const mopRuntimes: Runtimes;

/** Each child's start loads the module anew: they take turns all the same. */
const SHARED = Symbol.for("mop.runtime.turns");
const shared = globalThis as { [SHARED]?: ReturnType<typeof createTurns> };

/** A piece of the runtime that this node itself runs on, where it was brought here: it needn't come once more. */
async function ownPiece(hash: string): Promise<Uint8Array | undefined> {
  const own = Object.values(mopRuntimes).find((runtime) => runtime.hash === basename(process.execPath));
  const index = own ? own.pieces.indexOf(hash) : -1;
  if (index < 0) return undefined;
  try {
    const file = await open(process.execPath);
    try {
      const size = Math.min(PIECE, own!.size - index * PIECE);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, index * PIECE);
      const piece = buffer.subarray(0, bytesRead);
      return createHash("sha256").update(piece).digest("hex") === hash ? piece : undefined;
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

export const bring: BringModule["bring"] = (port) => {
  shared[SHARED] ??= createTurns(TURNS);
  return bringOf(mopRuntimes, {
    ...port,
    turn: shared[SHARED],
    piece: async (hash) => (await ownPiece(hash)) ?? port.piece(hash),
  });
};

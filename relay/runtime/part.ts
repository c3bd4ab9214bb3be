import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { createGate } from "../gate.js";
import { bring as bringOf } from "./bring.js";
import { type BringModule, PIECE, type Runtimes, TURNS } from "./types.js";

/** Stands before the module's text: what the controller has to bring. */
declare const mopRuntimes: Runtimes;

/** A node loads this once, so that all its children take turns. */
const turns = createGate(TURNS);

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

export const bring: BringModule["bring"] = (port) =>
  bringOf(mopRuntimes, {
    ...port,
    turn: () => turns.enter(),
    piece: async (hash) => (await ownPiece(hash)) ?? port.piece(hash),
  });

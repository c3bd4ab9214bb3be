import { Refusal } from "../errors.js";

/** Something in an archive. */
export interface ArchiveEntry {
  /** As the archive says it */
  readonly name: string;
  readonly kind: "file" | "directory" | "link" | "hardlink";
  /** Permission bits */
  readonly mode: number;
  /** Bytes of a file */
  readonly size: number;
  /** What a link points to; of a hard link the name in the archive */
  readonly to: string;
  content(): AsyncIterable<Uint8Array>;
}

export async function* nothing(): AsyncGenerator<Uint8Array> {}

/**
 * The parts of a path in an archive below the folder that it is unpacked to, without the first `strip` ones; nothing
 * is left for the folder itself. Throws a Refusal for a path that leads out.
 */
export function safeParts(name: string, strip: number): string[] {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (name.startsWith("/") || parts.includes("..") || name.includes("\0"))
    throw new Refusal(`the archive has "${name}" in it, which leads out of the folder; nothing is unpacked`);
  return parts.slice(strip);
}

/** Throws a Refusal where a symbolic link in a folder of the archive leads out of it. */
export function mustStayWithin(folder: readonly string[], name: string, to: string): void {
  let depth = to.startsWith("/") ? -1 : folder.length;
  for (const part of to.split("/")) {
    if (depth < 0) break;
    if (part === "..") depth--;
    else if (part !== "" && part !== ".") depth++;
  }
  if (depth < 0)
    throw new Refusal(
      `the archive has the link "${name}" to "${to}" in it, which leads out of the folder; nothing is unpacked`,
    );
}

/** Length of the pieces of a file that are looked for; a random one is nowhere else by chance. */
const SLICE = 32;

/** How many of the 32-byte slices of `content`, one after another, occur in `haystack`, wherever it cut them. */
export function slicesFound(content: Uint8Array, haystack: Uint8Array): number {
  const wanted = Buffer.from(content);
  const text = Buffer.from(haystack);
  // By their first three bytes, so that most places are passed over with one look.
  const possible = new Uint8Array(1 << 24);
  const slices = new Map<string, number>();
  for (let at = 0; at + SLICE <= wanted.length; at += SLICE) {
    possible[wanted.readUIntBE(at, 3)] = 1;
    slices.set(wanted.toString("latin1", at, at + SLICE), at);
  }
  const found = new Set<number>();
  for (let at = 0; at + SLICE <= text.length; at++) {
    if (possible[text.readUIntBE(at, 3)] === 0) continue;
    const slice = slices.get(text.toString("latin1", at, at + SLICE));
    if (slice !== undefined) found.add(slice);
  }
  return found.size;
}

/** Verified blobs in memory, as they travelled. The least recently used go first; those that are pinned go only when nothing else is left. */
export class BlobStore {
  readonly #capacity: number;
  /** In the order of their last use */
  readonly #blobs = new Map<string, Uint8Array>();
  readonly #pins = new Map<string, number>();
  #bytes = 0;

  /** `capacity`: bytes of all blobs together. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get bytes(): number {
    return this.#bytes;
  }

  has(hash: string): boolean {
    return this.#blobs.has(hash);
  }

  get(hash: string): Uint8Array | undefined {
    const blob = this.#blobs.get(hash);
    if (!blob) return undefined;
    this.#blobs.delete(hash);
    this.#blobs.set(hash, blob);
    return blob;
  }

  /** Keeps a verified blob; one that is larger than the whole store is not kept. */
  put(hash: string, blob: Uint8Array): void {
    if (this.#blobs.has(hash) || blob.length > this.#capacity) return;
    for (const pinned of [false, true])
      for (const [old, { length }] of this.#blobs) {
        if (this.#bytes + blob.length <= this.#capacity) break;
        if (this.#pins.has(old) !== pinned) continue;
        this.#blobs.delete(old);
        this.#bytes -= length;
      }
    this.#blobs.set(hash, blob);
    this.#bytes += blob.length;
  }

  /** +1: someone is still to be sent it; -1: no longer. Counts for blobs that aren't here yet, too. */
  pin(hash: string, by: 1 | -1): void {
    const pins = (this.#pins.get(hash) ?? 0) + by;
    if (pins > 0) this.#pins.set(hash, pins);
    else this.#pins.delete(hash);
  }
}

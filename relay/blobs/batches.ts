/** Gathers what is added in one turn of the event loop, and hands it on in pieces of at most `most`. */
export class Batch<T> {
  readonly #items = new Set<T>();
  readonly #most: number;
  readonly #flush: (items: T[]) => void;

  constructor(most: number, flush: (items: T[]) => void) {
    this.#most = most;
    this.#flush = flush;
  }

  add(item: T): void {
    if (this.#items.size === 0) setImmediate(() => this.#run());
    this.#items.add(item);
  }

  delete(item: T): void {
    this.#items.delete(item);
  }

  #run(): void {
    const items = [...this.#items];
    this.#items.clear();
    for (let at = 0; at < items.length; at += this.#most) this.#flush(items.slice(at, at + this.#most));
  }
}

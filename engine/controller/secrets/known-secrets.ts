import { Masker } from "../../vocabulary/masker.js";
import { markedSecrets } from "../../vocabulary/secret.js";

/** Masks what was marked as secret in this process so far; hooks and inventory functions may mark more at any time. */
export class KnownSecrets {
  readonly #masker = new Masker();
  #seen = 0;

  get masker(): Masker {
    const marked = markedSecrets();
    if (marked.size !== this.#seen) this.#masker.add([...marked].slice(this.#seen));
    this.#seen = marked.size;
    return this.#masker;
  }

  mask(text: string): string {
    return this.masker.mask(text);
  }
}

/** A text for people, once; what goes on for longer has KnownSecrets of its own. */
export const withoutSecrets = (text: string): string => new KnownSecrets().mask(text);

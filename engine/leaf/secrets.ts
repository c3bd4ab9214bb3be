import { Masker } from "../vocabulary/masker.js";
import { unfitSecret } from "../vocabulary/secret.js";
import { Refusal } from "./errors.js";

/** What a run on this leaf must not show: what came with its order, and what its role marks. */
export class Secrets {
  readonly masker = new Masker();
  readonly #tell: ((text: string) => void) | undefined;
  #strict = false;

  /** `tell` hears what role code marks, before whatever it says next. */
  constructor(tell?: (text: string) => void) {
    this.#tell = tell;
  }

  add(texts: Iterable<string>): void {
    this.masker.add(texts);
  }

  /**
   * From now on role code runs. While its module was loaded a `secret(process.env.X)` beside the role found the
   * controller's environment missing here, where it isn't needed: the variable's value came with the order.
   */
  begin(): void {
    this.#strict = true;
  }

  /** `secret` as roles import it on a leaf. */
  readonly mark = <T>(text: T): T => {
    const why = unfitSecret(text);
    if (why === undefined) {
      this.masker.add([String(text)]);
      this.#tell?.(String(text));
    } else if (this.#strict) throw new Refusal(`secret() ${why}`);
    return text;
  };
}

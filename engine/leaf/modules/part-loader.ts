import type { RolePlan } from "../../vocabulary/order.js";
import { Refusal, refuse } from "../errors.js";
import type { Exports, ModuleLoader } from "./loader.js";

/** Parts of the wing that come only where they are needed, each loaded once. */
export class PartLoader {
  readonly #loader: Pick<ModuleLoader, "load">;
  readonly #hashes: RolePlan["parts"];
  readonly #loaded = new Map<string, Promise<Exports>>();

  constructor(loader: Pick<ModuleLoader, "load">, hashes: RolePlan["parts"]) {
    this.#loader = loader;
    this.#hashes = hashes;
  }

  /** What the part exports. Rejects with a Refusal; a later call tries again. */
  load(name: string): Promise<Exports> {
    let part = this.#loaded.get(name);
    if (!part) {
      part = this.#fetch(name);
      this.#loaded.set(name, part);
    }
    return part;
  }

  async #fetch(name: string): Promise<Exports> {
    const hash = this.#hashes[name];
    try {
      if (hash === undefined) throw new Refusal("it did not come along with the role");
      return await this.#loader.load({ hash, file: `${name}.js`, packages: {} });
    } catch (error) {
      this.#loaded.delete(name);
      throw refuse(`the wing's part "${name}" can't be loaded`, error);
    }
  }
}

import { builtinModules, createRequire } from "node:module";
import path from "node:path";
import vm from "node:vm";
import type { WingHost } from "../../../relay/wing.js";
import { causeOf } from "../errors.js";

/** The name under which a role's own code runs; the controller maps positions in it to the user's files. */
export const ROLE_FILE = "role.js";

export interface ModuleRequest {
  /** Hash of a CommonJS module */
  readonly hash: string;
  /** What stacks call it */
  readonly file: string;
  /** What it may ask `require` for beside builtins and "mop", to the hashes of CommonJS modules */
  readonly packages: { readonly [specifier: string]: string };
}

export type Exports = Record<string, unknown>;

const PARAMETERS = ["exports", "require", "module", "__filename", "__dirname", "console"];
const BUILTINS: ReadonlySet<string> = new Set(builtinModules);

/**
 * Loads CommonJS modules that came as blobs. They may require Node's builtins, "mop" and the packages that came with
 * them, and nothing of what lies on this host: a role means the same everywhere.
 */
export class ModuleLoader {
  readonly #blobs: Pick<WingHost, "blob">;
  // A Map, since Object.hasOwn is younger than Node 16.0.
  readonly #own: ReadonlyMap<string, object>;
  readonly #console: Console;
  // Builtins need an absolute place to be asked from, whatever stands there.
  readonly #builtin = createRequire(path.join(path.parse(process.cwd()).root, "mop.js"));

  /** `own` is what the wing itself gives: "mop" and the like; `console` is what the modules write to. */
  constructor(blobs: Pick<WingHost, "blob">, own: Readonly<Record<string, object>>, console: Console) {
    this.#blobs = blobs;
    this.#own = new Map(Object.entries(own));
    this.#console = console;
  }

  /** The module's exports. Rejects with what the module throws, or with an Error that says what could not be fetched. */
  async load({ hash, file, packages }: ModuleRequest): Promise<Exports> {
    // `require` answers at once, so the texts of all packages must be here before the first line runs.
    const texts = new Map<string, string>();
    const fetch = async (key: string, name: string, hash: string) =>
      texts.set(key, await this.#text(name, hash));
    await Promise.all([
      fetch("", file, hash),
      ...Object.entries(packages).map(([key, packed]) =>
        fetch(`package ${key}`, `the package ${key}`, packed),
      ),
    ]);
    const loaded = new Map<string, { exports: Exports }>();
    const require = (specifier: unknown): unknown => {
      if (typeof specifier !== "string" || specifier === "")
        throw new TypeError("require needs a module's name");
      const own = this.#own.get(specifier);
      if (own) return own;
      const key = `package ${specifier}`;
      const known = loaded.get(key);
      if (known) return known.exports;
      const text = texts.get(key);
      if (text !== undefined) {
        const module = { exports: {} };
        loaded.set(key, module);
        try {
          return this.#evaluate(text, `${specifier}/package.js`, module, require);
        } catch (error) {
          loaded.delete(key);
          throw error;
        }
      }
      if (specifier.startsWith("node:") || BUILTINS.has(specifier)) return this.#builtinModule(specifier);
      throw new Error(
        `the module "${specifier}" did not come along with the role; only imports with a literal name travel`,
      );
    };
    return this.#evaluate(texts.get("") ?? "", file, { exports: {} }, require);
  }

  async #text(name: string, hash: string): Promise<string> {
    try {
      return Buffer.from(await this.#blobs.blob(hash)).toString("utf8");
    } catch (error) {
      throw new Error(`${name} can't be fetched: ${causeOf(error)}`);
    }
  }

  #evaluate(
    text: string,
    file: string,
    module: { exports: Exports },
    require: (specifier: unknown) => unknown,
  ): Exports {
    const run = vm.compileFunction(text, PARAMETERS, { filename: file }) as (...args: unknown[]) => void;
    run.call(module.exports, module.exports, require, module, `/${file}`, "/", this.#console);
    return module.exports;
  }

  #builtinModule(specifier: string): unknown {
    try {
      return this.#builtin(specifier);
    } catch {
      throw new Error(`the Node on this host (${process.version}) has no module "${specifier}"`);
    }
  }
}

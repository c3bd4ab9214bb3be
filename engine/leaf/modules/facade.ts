import { MopError } from "../../../transport/errors.js";
import { Refusal, ResourceError } from "../errors.js";
import { either, oneOf, rules } from "../options.js";
import type { Exports } from "./loader.js";

/** A twin of vocabulary/language.ts's words, so that role modules evaluate alike on both sides. */
const marked =
  (kind: string) =>
  <T extends object>(definition: T): T => ({ ...definition, "mop:kind": kind });

/** What `import ... from "mop"` gives on a leaf; `secret` is the run's own. */
export function facade(secret: (text: unknown) => unknown): Exports {
  return {
    secret,
    ResourceError,
    Refusal,
    MopError,
    rules,
    oneOf,
    either,
    defineRole: marked("role"),
    definePolicy: marked("policy"),
    defineType: marked("type"),
    defineProvider: (type: string, provider: object) => ({ type, provider, "mop:kind": "provider" }),
    defineFact: (gather: unknown) => ({ gather, "mop:kind": "fact" }),
    tomlInventory: (path: string) => ({ "mop:kind": "toml-inventory", path }),
  };
}

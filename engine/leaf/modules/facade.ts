import { MopError } from "../../../transport/errors.js";
import { ResourceError } from "../errors.js";
import type { Exports } from "./loader.js";

/** A twin of vocabulary/language.ts's words, so that role modules evaluate alike on both sides. */
const marked =
  (kind: string) =>
  <T extends object>(definition: T): T => ({ ...definition, "mop:kind": kind });

/** What `import ... from "mop"` gives on a leaf. */
export function facade(): Exports {
  return {
    ResourceError,
    MopError,
    defineRole: marked("role"),
    definePolicy: marked("policy"),
    tomlInventory: (path: string) => ({ "mop:kind": "toml-inventory", path }),
  };
}

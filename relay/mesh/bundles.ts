import { readFileSync } from "node:fs";
import { MopError } from "../../transport/errors.js";

/** A bundle as `npm run build` made it; beside the compiled controller, or in dist/ when run from sources. */
function readBundle(name: string): Uint8Array {
  for (const place of ["../../bundles/", "../../dist/bundles/"]) {
    try {
      return readFileSync(new URL(place + name, import.meta.url));
    } catch {
      // the other place
    }
  }
  throw new MopError("INTERNAL", `dist/bundles/${name} is missing: run \`npm run build\``);
}

/** The core (Brotli). */
export const readCoreBundle = (): Uint8Array => readBundle("core.js.br");

/** What a node opens sealed bytes with: the text, and in Brotli. */
export const readSealBundle = (): { readonly content: Uint8Array; readonly packed: Uint8Array } => ({
  content: readBundle("seal.js"),
  packed: readBundle("seal.js.br"),
});

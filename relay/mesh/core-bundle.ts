import { readFileSync } from "node:fs";
import { MopError } from "../../transport/errors.js";

/** The core as `npm run build` made it (Brotli); beside the compiled controller, or in dist/ when run from sources. */
export function readCoreBundle(): Uint8Array {
  for (const place of ["../../bundles/core.js.br", "../../dist/bundles/core.js.br"]) {
    try {
      return readFileSync(new URL(place, import.meta.url));
    } catch {
      // the other place
    }
  }
  throw new MopError("INTERNAL", "dist/bundles/core.js.br is missing: run `npm run build`");
}

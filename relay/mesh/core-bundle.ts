import { readFileSync } from "node:fs";
import { MopError } from "../../transport/errors.js";

/** The core as it travels (Brotli). */
export const readCoreBundle = (): Uint8Array => readBundle("core.js.br");

/** A bundle as `npm run build` made it; beside the compiled controller, or in dist/ when run from sources. */
export function readBundle(name: string): Uint8Array {
  for (const folder of ["../../bundles/", "../../dist/bundles/"]) {
    try {
      return readFileSync(new URL(folder + name, import.meta.url));
    } catch {
      // the other place
    }
  }
  throw new MopError("INTERNAL", `dist/bundles/${name} is missing: run \`npm run build\``);
}

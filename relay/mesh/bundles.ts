import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { MopError } from "../../transport/errors.js";
import type { BlobSource } from "./types.js";

/** A bundle as `npm run build` made it; beside the compiled controller, or in dist/ when run from sources. */
export function readBundle(name: string): Uint8Array {
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

/** A part of the relay program, which goes to the nodes that need it. */
export function partBundle(name: "seal" | "runner"): BlobSource {
  const content = readBundle(`${name}.js`);
  const hash = createHash("sha256").update(content).digest("hex");
  return { hash, size: content.length, packed: readBundle(`${name}.js.br`), read: async () => content };
}

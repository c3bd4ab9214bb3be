import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

/** The core from the sources as they are now, as it travels. */
export async function buildCore(): Promise<Uint8Array> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL("../../relay/node/main.ts", import.meta.url))],
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
    target: "node16",
    supported: { "optional-chain": true },
    minify: true,
    legalComments: "none",
  });
  return brotliCompressSync(result.outputFiles[0]!.contents);
}

// The resource types themselves, as they run on hosts: what checks their options, and their providers.
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { build } from "esbuild";

/**
 * By the names that `main` has them under: `{ options: { name: { expected } }, providers?: [{ name }] }`; and the rules
 * of the options that all types, and all with providers, have.
 */
export async function loadTypes(root) {
  const folder = path.join(root, "engine/leaf/parts");
  const parts = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".ts")) : [];
  const { outputFiles } = await build({
    stdin: {
      contents: [
        `export { TYPES } from "./engine/leaf/types/table.ts";`,
        `export { COMMON_RULES, PROVIDER_RULES } from "./engine/leaf/options.ts";`,
        ...parts.map((name, i) => `export * as part${i} from "./engine/leaf/parts/${name}";`),
      ].join("\n"),
      resolveDir: root,
    },
    bundle: true,
    write: false,
    format: "cjs",
    platform: "node",
    target: "node20",
  });
  const place = mkdtempSync(path.join(os.tmpdir(), "mop-manual-"));
  try {
    const file = path.join(place, "types.cjs");
    writeFileSync(file, outputFiles[0].contents);
    const { TYPES, COMMON_RULES, PROVIDER_RULES, ...modules } = createRequire(file)(file);
    // Parts that bring no types (the template engine) have none.
    const types = Object.assign({}, TYPES, ...Object.values(modules).map((part) => part.types ?? {}));
    return { types, common: COMMON_RULES, provider: PROVIDER_RULES };
  } finally {
    rmSync(place, { recursive: true });
  }
}

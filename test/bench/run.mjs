// Runs the benchmark: `npm run bench`. Compiles main.ts on the fly, since Node 20 reads no TypeScript.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, "../..");
// Inside the project, so that packages are found from there.
const folder = mkdtempSync(path.join(root, "node_modules/.mop-bench-"));

/** Files look for their neighbours by import.meta.url, which in a bundle would be the bundle's own. */
const ownUrls = {
  name: "own-urls",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, (file) => ({
      contents: readFileSync(file.path, "utf8").replaceAll(
        "import.meta.url",
        JSON.stringify(pathToFileURL(file.path).href),
      ),
      loader: "ts",
    }));
  },
};

const outfile = path.join(folder, "main.mjs");
const end = () => rmSync(folder, { recursive: true, force: true });
process.once("exit", end);
await build({
  entryPoints: [process.env.BENCH_ENTRY ?? path.join(here, "main.ts")],
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  packages: "external",
  plugins: [ownUrls],
  outfile,
});
await import(pathToFileURL(outfile).href);

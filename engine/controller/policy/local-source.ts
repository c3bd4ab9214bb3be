import { readFile } from "node:fs/promises";
import path from "node:path";
import { type Loader, transform } from "esbuild";

const LOADERS: Readonly<Record<string, Loader>> = {
  ".ts": "ts",
  ".mts": "ts",
  ".cts": "ts",
  ".tsx": "tsx",
  ".js": "js",
  ".mjs": "js",
  ".cjs": "js",
  ".jsx": "jsx",
};

export const isScript = (file: string): boolean => path.extname(file) in LOADERS;

export interface LocalSource {
  readonly contents: string;
  readonly loader: Loader;
}

/** What `import.meta` says in a file once it is part of a bundle. */
export interface ImportMeta {
  readonly url: string;
  readonly dirname: string;
  readonly filename: string;
}

/** A local module whose `import.meta` still speaks of its own file, wherever the bundle runs. */
export async function readLocal(file: string, meta: ImportMeta): Promise<LocalSource> {
  const loader = LOADERS[path.extname(file)] ?? "js";
  const contents = await readFile(file, "utf8");
  if (!/\bimport\.meta\b/.test(contents)) return { contents, loader };
  const result = await transform(contents, {
    loader,
    sourcefile: file,
    sourcemap: "inline",
    target: "esnext",
    define: {
      "import.meta.url": JSON.stringify(meta.url),
      "import.meta.dirname": JSON.stringify(meta.dirname),
      "import.meta.filename": JSON.stringify(meta.filename),
    },
  });
  return { contents: result.code, loader: "js" };
}

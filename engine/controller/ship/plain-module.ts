import path from "node:path";
import { transform } from "esbuild";
import { buildError } from "../policy/esbuild-errors.js";
import { readLocal } from "../policy/local-source.js";

/** A module's text without its types: an ES module for acorn to read. */
export async function plainModule(file: string, folder: string): Promise<string> {
  const place = `/${path.basename(file)}`;
  try {
    const source = await readLocal(file, { url: `file://${place}`, dirname: "/", filename: place });
    const { code } = await transform(source.contents, {
      loader: source.loader,
      format: "esm",
      target: "esnext",
      sourcefile: file,
      sourcemap: "inline",
    });
    return code;
  } catch (error) {
    throw buildError(error, folder, "reading");
  }
}

import { build } from "esbuild";
import { buildError } from "../policy/esbuild-errors.js";
import { PolicyError } from "../policy-error.js";
import { LEAF_BUILD, NO_DYNAMIC_IMPORT, type PackageUse } from "./leaf-modules.js";

/**
 * One npm package as one CommonJS module, so that a changed role re-sends the role and not its packages. Its shape is
 * what Node's own `import` gives: a CommonJS package's `default` is its `module.exports`, whatever it says of
 * `__esModule`.
 */
export async function bundlePackage(use: PackageUse, folder: string): Promise<string> {
  const name = JSON.stringify(use.specifier);
  const contents = use.required
    ? `module.exports = require(${name});`
    : `export * from ${name}; import * as all from ${name}; export default all.default;`;
  try {
    const result = await build({
      ...LEAF_BUILD,
      ...NO_DYNAMIC_IMPORT,
      absWorkingDir: folder,
      entryPoints: ["mop-package"],
      outfile: "package.js",
      format: "cjs",
      minifyWhitespace: true,
      minifySyntax: true,
      define: { "import.meta.url": JSON.stringify(`file:///node_modules/${use.specifier}`) },
      plugins: [
        {
          name: "mop-package",
          setup(setup) {
            setup.onResolve({ filter: /^mop-package$/ }, (args) =>
              // The ending puts esbuild in the mode in which it imports CommonJS as Node does.
              args.kind === "entry-point" ? { path: "package.mjs", namespace: "mop-package" } : undefined,
            );
            setup.onLoad({ filter: /./, namespace: "mop-package" }, () => ({
              contents,
              resolveDir: use.resolveDir,
              loader: "js",
            }));
          },
        },
      ],
    });
    return result.outputFiles[0]!.text;
  } catch (error) {
    const { message } = buildError(error, folder, "bundling");
    throw new PolicyError(`the package ${use.specifier} can't travel to hosts: ${message}`);
  }
}

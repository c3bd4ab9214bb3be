// What travels to hosts, from the same sources as the controller: dist/bundles/core.js (the relay program), leaf.js
// (the leaf's wing) and the wing's optional parts. CommonJS for Node 16, minified; budgets are in budget.mjs.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Which sources a bundle may be made of, whatever the way by which they came in; packages never. */
const CORE = /^(transport\/(?!ssh\/)|relay\/(?!mesh\/))/;
/** Parts that bring a package along, to the hosts that need it (tools/walls.mjs knows them too). */
const PACKAGES = {
  seal: /^node_modules\/tweetnacl\//,
  toml: /^node_modules\/smol-toml\//,
  yaml: /^node_modules\/yaml\//,
};
/** What brings hosts a Node; a relay loads it where it is needed */
const RUNTIME = /^(relay\/((runtime|boot)\/|gate\.ts$)|transport\/after-reading\.ts$)/;
const WING = /^(engine\/(leaf|vocabulary)\/|transport\/(?!ssh\/)|relay\/wing\.ts$)/;

/** Name of the bundle -> its source; a source that doesn't exist yet is left out. */
function entries(root) {
  const parts = path.join(root, "engine/leaf/parts");
  const found = {
    core: "relay/node/main.ts",
    seal: "relay/seal/part.ts",
    runner: "relay/runner/run-wing.ts",
    runtime: "relay/runtime/part.ts",
    leaf: "engine/leaf/main.ts",
  };
  for (const file of existsSync(parts) ? readdirSync(parts) : [])
    if (file.endsWith(".ts")) found[file.slice(0, -3)] = `engine/leaf/parts/${file}`;
  return Object.entries(found).filter(([, source]) => existsSync(path.join(root, source)));
}

/**
 * Parts have these modules from the wing instead of in copies: those that engine/leaf/modules/shared.ts imports.
 */
function sharedModules(root) {
  const wing = path.join(root, "engine/leaf");
  const list = path.join(wing, "modules/shared.ts");
  const text = existsSync(list) ? readFileSync(list, "utf8") : "";
  const shared = new Set([...text.matchAll(/from "\.\.\/(.+)\.js"/g)].map(([, name]) => name));
  return {
    name: "mop-wing",
    setup({ onResolve }) {
      onResolve({ filter: /^\..*\.js$/ }, ({ path: specifier, resolveDir }) => {
        const name = path.relative(wing, path.resolve(resolveDir, specifier)).replace(/\.js$/, "");
        return shared.has(name) ? { path: `mop-wing/${name}`, external: true } : undefined;
      });
    },
  };
}

/** What relay/node/shared.ts lists is the core's own. */
const fromCore = {
  name: "mop-core",
  setup({ onResolve }) {
    onResolve({ filter: /\/node\/shared\.js$/ }, () => ({ path: "mop-core", external: true }));
  },
};

function pluginsOf(name, source, root) {
  if (source.startsWith("engine/leaf/parts/")) return [sharedModules(root)];
  return source.startsWith("relay/") && name !== "core" ? [fromCore] : [];
}

/** Builds every bundle; returns name -> { size, compressed } in bytes. */
export async function buildBundles(root = ROOT) {
  const folder = path.join(root, "dist/bundles");
  mkdirSync(folder, { recursive: true });
  const sizes = {};
  for (const [name, source] of entries(root)) {
    const result = await build({
      entryPoints: [path.join(root, source)],
      absWorkingDir: root,
      bundle: true,
      metafile: true,
      write: false,
      // The package yaml has modules, of which what is not used is left out, for all but Node.
      ...(name === "yaml" ? { platform: "neutral", mainFields: ["module", "main"] } : { platform: "node" }),
      format: "cjs",
      target: "node16",
      // The first Nodes 16 stumble over a spread behind ?. only, which is looked for below; all of ?. lowered costs 1%.
      supported: { "optional-chain": true },
      minify: true,
      legalComments: "none",
      treeShaking: true,
      charset: "utf8",
      logLevel: "warning",
      plugins: pluginsOf(name, source, root),
    });
    // What esbuild minified is made smaller once more: 4% in Brotli, which each new host is sent.
    const { code: text } = await minify(result.outputFiles[0].text, {
      ecma: 2020,
      toplevel: true,
      compress: { passes: 3 },
    });
    const code = Buffer.from(text);
    const may = name === "runtime" ? RUNTIME : source.startsWith("relay/") ? CORE : WING;
    const stranger = Object.keys(result.metafile.inputs).find(
      (source) => !may.test(source) && !PACKAGES[name]?.test(source),
    );
    if (stranger) throw new Error(`bundle ${name}: ${stranger} got into it, which does not travel to hosts`);
    const spread = /\?\.[\w$#]*\(\.\.\.[^)]*\)/.exec(text);
    if (spread) throw new Error(`${name}: Node 16.0 can't run ${spread[0]}; write it without ?.`);
    // engine/leaf/parts/toml.ts brings what its package lacks there.
    const young =
      name === "toml" ? null : /\bObject\.hasOwn\b|\bstructuredClone\(/.exec(result.outputFiles[0].text);
    if (young) throw new Error(`${name}: Node 16.0 has no ${young[0]}; write it without`);
    const compressed = brotliCompressSync(code, {
      params: {
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_LGWIN]: 22,
        [constants.BROTLI_PARAM_SIZE_HINT]: code.length,
      },
    });
    writeFileSync(path.join(folder, `${name}.js`), code);
    writeFileSync(path.join(folder, `${name}.js.br`), compressed);
    sizes[name] = { size: code.length, compressed: compressed.length };
    console.log(
      `bundle ${name.padEnd(12)} ${String(code.length).padStart(7)} bytes, ${compressed.length} in Brotli`,
    );
  }
  return sizes;
}

// Size budget of what travels to hosts: Brotli bytes of the bundles in dist/bundles (made by `npm run build`)
// or in the folder that is named.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";

const CORE_MAX = 24_000;
/** The wing with its templates and what runs it: what a usual role brings */
const WING_MAX = 60_000;
const WING = new Set(["leaf.js", "templates.js", "runner.js"]);
/** A part that only roles bring that use one of its types */
const PART_MAX = 20_000;
/** An npm package, and only hosts that have a fact in YAML ask for it */
const LARGER = { "yaml.js": 28_500 };

const folder = process.argv[2] ?? fileURLToPath(new URL("../dist/bundles", import.meta.url));
const bundles = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".js")) : [];
let wing = 0;
let core = 0;
for (const name of bundles) {
  const size = brotliCompressSync(readFileSync(path.join(folder, name))).length;
  console.log(`${name.padEnd(16)} ${String(size).padStart(6)} bytes in Brotli`);
  if (name === "core.js") core = size;
  else if (WING.has(name)) wing += size;
  else if (size > (LARGER[name] ?? PART_MAX)) {
    console.error(`budget: the part ${name} is ${size} bytes, its budget ${LARGER[name] ?? PART_MAX}`);
    process.exitCode = 1;
  }
}
if (core > CORE_MAX) console.error(`budget: the core is ${core} bytes, its budget ${CORE_MAX}`);
if (wing > WING_MAX) console.error(`budget: the leaf's wing is ${wing} bytes, its budget ${WING_MAX}`);
// A budget of nothing says nothing
if (core === 0 || wing === 0) console.error("budget: no bundles there; `npm run build` makes them");
if (core === 0 || wing === 0 || core > CORE_MAX || wing > WING_MAX) process.exit(1);

// Writes docs/resources.md, the reference manual of all resource types, from their declarations and docstrings
// (engine/vocabulary/resources/) and their rules (engine/leaf/types/). With --print it goes to stdout instead. Takes
// the project's folder, this one by default. Exits 1 with one sentence for each thing that is not documented.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { readManual } from "./manual/read.mjs";
import { render } from "./manual/render.mjs";

const given = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const root = path.resolve(given[0] ?? fileURLToPath(new URL("..", import.meta.url)));

const { manual, faults } = await readManual(root);
for (const fault of faults) console.error(`manual: ${fault}`);
if (faults.length > 0) process.exit(1);
if (process.argv.includes("--print")) process.stdout.write(render(manual));
else writeFileSync(path.join(root, "docs/resources.md"), render(manual));

// Imports between the floors go down only (docs/architecture.md). Prints each breach and exits 1.
import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url)));

/** Folder -> the folders and files that it may import from (its own always), longest match first. */
const MAY = {
  "transport/wire": ["transport/errors", "transport/types"],
  transport: ["transport"],
  "relay/session": ["transport"],
  "relay/boot": ["transport", "relay/orders"],
  "relay/node": ["transport", "relay"],
  "relay/mesh": ["transport", "relay"],
  relay: ["transport", "relay"],
  "engine/vocabulary": ["transport/types", "transport/errors"],
  "engine/leaf": ["transport/types", "transport/errors", "transport/wire", "relay/wing", "engine/vocabulary"],
  "engine/controller": ["transport", "relay", "engine/vocabulary"],
  engine: ["transport", "relay", "engine"],
  cli: ["engine", "transport", "relay"],
};
/** What runs on hosts, but for STAYS: it has Node's own modules, no package, and nothing that stays. */
const TRAVELS = ["transport", "relay", "engine/leaf", "engine/vocabulary"];
/** The controller's alone: ssh2 and the growing of the tree. */
const STAYS = ["transport/ssh", "relay/mesh"];

/** Parts that bring a package along, to the hosts that need it. */
const WITH_PACKAGES = new Set([
  "engine/leaf/parts/toml.ts",
  "engine/leaf/parts/yaml.ts",
  "relay/seal/conversation.ts",
]);

const IMPORTS =
  /^(?:import|export)\b[^"';]*?from\s+"([^"]+)"|^import\s+"([^"]+)"|\b(?:import|require)\(\s*"([^"]+)"/gm;

function* sources(folder) {
  for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* sources(name);
    else if (/\.[cm]?ts$/.test(entry.name)) yield name;
  }
}

const within = (target, place) => target === place || target.startsWith(`${place}/`);
const FOLDERS = Object.keys(MAY).sort((a, b) => b.length - a.length);
const travels = (file) =>
  TRAVELS.some((place) => within(file, place)) && !STAYS.some((place) => within(file, place));

function* breachesOf(file, text) {
  const folder = FOLDERS.find((place) => within(file, place));
  for (const [, from, bare, called] of text.matchAll(IMPORTS)) {
    const specifier = from ?? bare ?? called;
    if (!specifier.startsWith(".")) {
      if (travels(file) && !isBuiltin(specifier) && !WITH_PACKAGES.has(file))
        yield `imports ${specifier}, which does not travel to hosts`;
      continue;
    }
    const target = path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, "");
    if (!within(target, folder) && !MAY[folder].some((place) => within(target, place)))
      yield `${folder}/ may not import ${target}`;
    else if (travels(file) && STAYS.some((place) => within(target, place)))
      yield `${target} does not travel to hosts`;
  }
}

let breaches = 0;
for (const floor of ["transport", "relay", "engine", "cli"])
  for (const file of sources(floor))
    for (const breach of breachesOf(file, readFileSync(path.join(root, file), "utf8"))) {
      console.error(`${file}: ${breach}`);
      breaches++;
    }
if (breaches > 0) process.exit(1);
console.log("walls: all imports go down");

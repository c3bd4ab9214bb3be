// Imports between the floors go down only (docs/architecture.md). Prints each breach and exits 1.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(
  process.argv[2] ?? path.join(path.dirname(new URL(import.meta.url).pathname), ".."),
);

/** Folder -> the folders that it may import from (its own always), longest match first. */
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
/** What runs on hosts: these packages only. */
const TRAVELS = ["transport/wire", "relay/blobs", "relay/session", "relay/boot", "relay/node", "engine/leaf"];
const TRAVELLING_PACKAGES = /^node:/;
/** Parts of the wing that bring a package along, to the hosts that need it */
const WITH_PACKAGES = new Set(["engine/leaf/parts/toml.ts", "engine/leaf/parts/yaml.ts"]);
const NOT_ON_HOSTS = ["transport/ssh", "relay/mesh"];

function* sources(folder) {
  for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* sources(name);
    else if (/\.ts$/.test(entry.name)) yield name;
  }
}

const rule = (file) =>
  Object.keys(MAY)
    .sort((a, b) => b.length - a.length)
    .find((folder) => file.startsWith(`${folder}/`));

const breaches = [];
for (const floor of ["transport", "relay", "engine", "cli"]) {
  for (const file of sources(floor)) {
    const folder = rule(file);
    const travels = TRAVELS.some((t) => file.startsWith(`${t}/`));
    const text = readFileSync(path.join(root, file), "utf8");
    for (const [, from, bare, dynamic] of text.matchAll(
      /^(?:import|export)\b[^"';]*?from\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm,
    )) {
      const specifier = from ?? bare ?? dynamic;
      if (!specifier) continue;
      if (!specifier.startsWith(".")) {
        if (travels && !TRAVELLING_PACKAGES.test(specifier) && !WITH_PACKAGES.has(file))
          breaches.push(`${file}: imports ${specifier}, which does not travel to hosts`);
        continue;
      }
      const target = path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, "");
      const within = (place) => target === place || target.startsWith(`${place}/`);
      if (!within(folder) && !MAY[folder].some(within))
        breaches.push(`${file}: ${folder}/ may not import ${target}`);
      if (travels && NOT_ON_HOSTS.some(within)) breaches.push(`${file}: ${target} does not travel to hosts`);
    }
  }
}
for (const breach of breaches) console.error(breach);
if (breaches.length > 0) process.exit(1);
console.log("walls: all imports go down");

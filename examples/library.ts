// A program of your own over the same mesh: commands, functions and policies on hosts behind bastions.
// Node 24 runs it as it is:  node examples/library.ts inventory.toml l1 b1,b2
// An older one through esbuild:  npx esbuild examples/library.ts --target=node20 --outfile=examples/library.mjs
import os from "node:os";
import { fileURLToPath } from "node:url";
import { Mesh, MopError } from "mop";

/** Runs over there, with what it mentions of this file; the rest of the file stays here. */
export function load(unit: string): { node: string; load: string } {
  const [minute = 0] = os.loadavg();
  return { node: process.version, load: `${minute.toFixed(2)} ${unit}` };
}

export async function main([
  inventory = "inventory.toml",
  name = "l1",
  via,
]: readonly string[]): Promise<void> {
  await using mesh = await Mesh.open({ inventory });
  const host = await mesh.connect(name, via === undefined ? {} : { via: via.split(",") });
  console.log(`${host.name} is reached through ${host.route.join(" > ")}`);

  // A command: its status is a result, no error.
  const { rc, stdout } = await host.run("uptime");
  console.log(`uptime ended with ${rc}: ${stdout.trim()}`);

  // A function that this module exports.
  console.log(await host.call(load, "jobs"));

  // Output as it comes; leaving the loop ends the command.
  for await (const { stream, text } of host.stream("for i in 1 2 3; do echo $i; done"))
    console.log(`${stream}: ${text.trimEnd()}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await main(process.argv.slice(2)).catch((error: unknown) => {
    if (!(error instanceof MopError)) throw error;
    console.error(`${error.message} (${error.code})`);
    process.exitCode = 4;
  });

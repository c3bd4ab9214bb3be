import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { playStates } from "./play.js";
import { TABLES } from "./tables/containers.js";

// Bundled and started on a host of its own: plays the table that is named, and says what became of its states.
const name = process.argv[2]!;
const folder = `/srv/states/${name}`;
mkdirSync(folder, { recursive: true });
process.umask(0o022);
/** A module that the kernel has built in: one that could be loaded has a count of its users. */
const module = readdirSync("/sys/module").find(
  (one) => /^[a-z]\w+$/.test(one) && !existsSync(`/sys/module/${one}/refcnt`),
);
playStates(TABLES[name]!, folder, { module: module ?? "kernel" }).then(
  (played) => process.stdout.write(`${JSON.stringify(played)}\n`),
  (error: Error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  },
);

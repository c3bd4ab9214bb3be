import { CASES } from "./cases.js";
import { foretell } from "./foresight.js";
import { playAll } from "./play.js";

// Bundled and started as another user: plays what such a one can, and says what became of it.
const [what, home] = process.argv.slice(2);
const theirs = CASES.filter((item) => item.only !== "root");
const playing: Promise<unknown> = what === "cases" ? playAll(home!, theirs) : foretell(home!, 200);
playing.then(
  (played) => process.stdout.write(JSON.stringify(played)),
  (error: Error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  },
);

import { CASES } from "./cases.js";
import { playAll } from "./play.js";

// Bundled and started as another user: plays all cases that such a one can, and says what became of them.
playAll(
  process.argv[2]!,
  CASES.filter((item) => item.only !== "root"),
).then(
  (played) => process.stdout.write(JSON.stringify(played)),
  (error: Error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  },
);

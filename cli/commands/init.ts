import path from "node:path";
import type { Command } from "commander";
import { mopPackage } from "../../engine/controller/policy/mop-package.js";
import { displayPath } from "../../engine/controller/policy-error.js";
import { projectFiles } from "../init/project.js";
import { writeProject } from "../init/write-project.js";
import { escapeLine } from "../output/escape.js";
import type { Outcome } from "../program.js";

export function addInit(program: Command, outcome: Outcome): void {
  program
    .command("init")
    .description("write a small, commented, working project; overwrites nothing")
    .argument("[folder]", "where; made if it is missing", ".")
    .action(async (folder: string) => {
      const place = path.resolve(folder);
      const written = await writeProject(place, projectFiles(mopPackage().types));
      const there = place === process.cwd() ? "" : `cd ${escapeLine(displayPath(place))}\n    `;
      const lines = [
        ...written.map((file) => `  ${escapeLine(displayPath(file))}`),
        "",
        `    ${there}mop validate               # finds what is wrong, contacts nothing`,
        "    mop local --check --diff   # what it would do on this machine",
        "    mop local                  # does it",
      ];
      outcome.print(`${lines.join("\n")}\n`);
      outcome.status = 0;
    });
}

import { execFile } from "node:child_process";
import { chmod, chown, mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bundle } from "../../../support/bundle.js";

export const isRoot = process.geteuid?.() === 0;
const NOBODY = 65_534;

/** What as-user.ts says, run by a user that is not root in a folder of its own below this one. */
export async function playAsUser(folder: string, what: "cases" | "foresight"): Promise<unknown> {
  const home = path.join(folder, "user");
  await mkdir(home);
  await chown(home, NOBODY, NOBODY);
  await chmod(folder, 0o755);
  const program = await bundle(fileURLToPath(new URL("as-user.ts", import.meta.url)), folder);
  const { stdout } = await promisify(execFile)(process.execPath, [program, what, home], {
    uid: NOBODY,
    gid: NOBODY,
    cwd: "/",
    maxBuffer: 1e8,
  });
  return JSON.parse(stdout);
}

import { lstat, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { displayPath, PolicyError } from "../../engine/controller/policy-error.js";

export interface ProjectFile {
  /** Relative to the project's folder */
  readonly name: string;
  readonly text: string;
  readonly executable?: boolean;
}

/** Writes all files, or none where one of them exists. Gives their paths. */
export async function writeProject(folder: string, files: readonly ProjectFile[]): Promise<string[]> {
  for (const { name } of files) {
    const file = path.join(folder, name);
    if (await exists(file))
      throw new PolicyError("it exists already, and mop init overwrites nothing; name another folder", {
        file,
      });
  }
  const written: string[] = [];
  for (const { name, text, executable } of files) {
    const file = path.join(folder, name);
    try {
      await makeFolder(path.dirname(file));
      // Whoever was faster with a file of that name keeps it
      await writeFile(file, text, { flag: "wx", mode: executable ? 0o777 : 0o666 });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new PolicyError(`${displayPath(file)} can't be written (${code ?? String(error)})`);
    }
    written.push(file);
  }
  return written;
}

/** With those above it. Node's own way to that never ends where a folder takes no other, as /proc. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code !== "ENOENT") throw error;
    await makeFolder(path.dirname(folder));
    await mkdir(folder);
  }
}

/** A link that leads nowhere is something too. */
const exists = (file: string): Promise<boolean> =>
  lstat(file).then(
    () => true,
    ({ code }: NodeJS.ErrnoException) => code !== "ENOENT",
  );

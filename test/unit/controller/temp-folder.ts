import { chmod, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";

/** A folder with these files, removed when the test is over. */
export async function tempFolder(files: Record<string, string | Uint8Array> = {}): Promise<string> {
  const folder = await realpath(await mkdtemp(path.join(os.tmpdir(), "mop-test-")));
  onTestFinished(() => remove(folder));
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  return folder;
}

async function remove(folder: string): Promise<void> {
  // Root is not held up by folders that a test closed to its own user; others open them first.
  if (process.getuid?.() !== 0) await open(folder);
  await rm(folder, { recursive: true, force: true });
}

async function open(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await open(path.join(folder, entry.name));
}

export async function rejection(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => {
      throw new Error("resolved, but a rejection was expected");
    },
    (error: unknown) => error as Error,
  );
}

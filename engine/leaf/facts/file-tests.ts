import { createHash } from "node:crypto";
import type { FileTests } from "../../vocabulary/facts.js";
import { accountName } from "../files/accounts.js";
import type { Entry, Files } from "../files/files.js";
import { PASS, permits } from "../files/permits.js";

/** Tests of what stands at a path; under --check of what was planned to. */
export function fileTests(files: Files): FileTests {
  const find = async (path: string) => files.resolve(path, true);
  const of = async <T>(path: string, look: (entry: Entry) => T | Promise<T>): Promise<T | null> => {
    const { entry } = await find(path);
    return entry ? look(entry) : null;
  };
  const is = async (path: string, kind: Entry["kind"]) => (await find(path)).entry?.kind === kind;
  return {
    exists: async (path) => (await find(path)).entry !== undefined,
    isFile: (path) => is(path, "file"),
    isDirectory: (path) => is(path, "directory"),
    executable: async (path) =>
      (await of(
        path,
        // root may run what has any of the three bits.
        (entry) => entry.kind === "file" && (entry.mode & 0o111) !== 0 && permits(entry, PASS),
      )) ?? false,
    mode: (path) => of(path, ({ mode }) => mode),
    owner: (path) => of(path, ({ uid }) => accountName("user", uid, files)),
    group: (path) => of(path, ({ gid }) => accountName("group", gid, files)),
    size: (path) => of(path, (entry) => (entry.kind === "file" ? entry.size : null)),
    async checksum(path, algorithm = "sha256") {
      const place = await find(path);
      if (place.entry?.kind !== "file") return null;
      if (algorithm === "sha256") return files.hash(place.path, place.entry);
      const bytes = await files.read(place.path, place.entry);
      return bytes ? createHash(algorithm).update(bytes).digest("hex") : null;
    },
  };
}

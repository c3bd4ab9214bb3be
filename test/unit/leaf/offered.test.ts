import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { OfferedFiles } from "../../../engine/leaf/files/offered.js";

const sum = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Files of a role, and which of them were asked for ahead. */
function offering(...names: string[]) {
  const contents = names.map((name) => Buffer.from(`content of ${name}`));
  const byHash = new Map(contents.map((bytes) => [sum(bytes), bytes]));
  const nameOf = new Map(contents.map((bytes, index) => [sum(bytes), names[index]!]));
  const ahead: string[] = [];
  const files = new OfferedFiles(
    {
      blob: async (hash) => byHash.get(hash)!,
      prefetch: async (hashes) => void ahead.push(...hashes.map((hash) => nameOf.get(hash)!)),
    },
    Object.fromEntries(
      contents.map((bytes, index) => [
        names[index]!,
        { size: bytes.length, hash: sum(bytes), chunks: [], executable: false },
      ]),
    ),
  );
  return { files, ahead };
}

const take = async (pieces: AsyncIterable<Uint8Array>) => {
  for await (const _ of pieces);
};

test("templates, which came along, are no reason to ask for other files", async () => {
  const { files, ahead } = offering("a.j2", "b.j2", "payload");
  expect(String(await files.read("a.j2"))).toBe("content of a.j2");
  await files.read("b.j2");
  expect(ahead).toEqual([]);
});

test("a missing file is a reason to ask for all small ones; one that differs only with a second", async () => {
  const missing = offering("one", "two", "three");
  await take(missing.files.stream("one", true));
  expect(missing.ahead.sort()).toEqual(["one", "three", "two"]);
  const edited = offering("one", "two", "three");
  await take(edited.files.stream("one", false));
  expect(edited.ahead).toEqual([]);
  await take(edited.files.stream("two", false));
  expect(edited.ahead.sort()).toEqual(["three", "two"]);
});
